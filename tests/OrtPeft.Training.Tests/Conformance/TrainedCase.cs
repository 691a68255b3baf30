using OrtPeft.Adapters;
using OrtPeft.Tensors;
using OrtPeft.Training.Metrics;
using OrtPeft.Training.Tests.Runs;

namespace OrtPeft.Training.Tests.Conformance;

/// <summary>A method that was trained on a base for three epochs. Tests look at it and leave it as it is.</summary>
internal sealed class TrainedCase
{
    public TrainedCase(TrainedBase trainedOn, MethodCase method)
    {
        (Base, Method, Config) = (trainedOn, method, trainedOn.Case.Named(method.Config));
        Model = Fresh();
        Before = Model.GetWeights().ToDictionary(static w => w.Key, static w => w.Value.ToFloat32());
        var own = Model.Parameters.Concat(Model.Buffers).Select(static p => p.Value).ToHashSet();
        Rest = Model.Model.Graph.Initializers.Where(v => !own.Contains(v))
            .ToDictionary(static v => v.Name, static v => v.Initializer!);
        Steps = Tiny.Run(Model, Tiny.Arguments with
        {
            MaxSteps = 12,
            LearningRate = method.LearningRate,
            Schedule = "constant",
        });
        Logits = TrainedBase.LogitsOf(Model.Model);
    }

    public TrainedBase Base { get; }

    public MethodCase Method { get; }

    /// <summary>The row's configuration with the base's names.</summary>
    public PeftConfig Config { get; }

    public PeftModel Model { get; }

    public IReadOnlyList<StepMetrics> Steps { get; }

    /// <summary>The adapter's weights before the first step.</summary>
    public IReadOnlyDictionary<string, float[]> Before { get; }

    /// <summary>All other weights in the adapted graph before the first step.</summary>
    public IReadOnlyDictionary<string, Tensor> Rest { get; }

    /// <summary>The trained model's answers.</summary>
    public float[] Logits { get; }

    /// <summary>Why such an adapter cannot be merged into this base, or null.</summary>
    public string? WhyNotMerged => Method.MergesOnlyOn is { } bases && !bases.Contains(Base.Case.Name)
        ? "has no bias"
        : PeftMethods.Named(Method.Method).Description.WhyNotMergeable;

    /// <summary>The adapter as it was before the first step.</summary>
    public PeftModel Fresh() => PeftModel.Create(Base.Model, Config, seed: 1);

    /// <summary>A model to change, with the trained adapter and an untrained one called <c>other</c>.</summary>
    public PeftModel WithAnother()
    {
        var model = PeftModel.Create(Base.Model, Model.Config, Model.GetWeights(), "trained");
        model.Adapters.Add("other", Base.Case.Named(MethodCases.Named("lora:random").Config), seed: 2);
        return model;
    }
}
