using System.Diagnostics.CodeAnalysis;
using OrtPeft.Adapters;
using OrtPeft.Artifacts;
using OrtPeft.Compilation.Memory;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Tensors;
using OrtPeft.Training.Checkpoints;
using OrtPeft.Training.Runtime;

namespace OrtPeft.Training.Subjects;

/// <summary>An adapted model in memory, trained through portable graphs.</summary>
internal sealed class ModelSubject : TrainingSubject
{
    private readonly PeftModel _model;
    private readonly TrainingArguments _arguments;

    private ModelSubject(
        ITrainingRuntime runtime, PeftModel model, TrainingArguments arguments, MemoryPlan? memory)
        : base(runtime)
    {
        (_model, _arguments, Memory) = (model, arguments, memory);
        Adapters = IdentityOf(model);
        Origin = arguments is { OutputFolder: null, Processes.Size: 1 } ? new Dictionary<string, string>() : OriginOf(model, arguments);
        Files = FilesOf(model.Base);
    }

    /// <inheritdoc/>
    public override int VirtualTokens => _model.VirtualTokens;

    /// <inheritdoc/>
    public override OptimizerConfig Optimizer => _arguments.Optimizer;

    /// <inheritdoc/>
    public override bool BaseDropout => _arguments.BaseDropout;

    /// <inheritdoc/>
    public override MemoryPlan? Memory { get; }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Adapters { get; }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Origin { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<BaseFile> Files { get; }

    /// <summary>Opens the model for training.</summary>
    /// <param name="model">The adapted model.</param>
    /// <param name="objective">What to minimise; next-token cross-entropy when left out.</param>
    /// <param name="arguments">How to train.</param>
    /// <param name="part">The most tokens at once; null where it is not trained on rows of tokens.</param>
    /// <exception cref="GraphException">The model does not train on such rows.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "The result takes the runtime over.")]
    public static TrainingSubject Open(
        PeftModel model, IObjective? objective, TrainingArguments arguments, PartSize? part)
    {
        objective ??= new CausalLm();
        arguments = WithKernelOfCheckpoint(arguments);
        var graphs = ModelGraphs.Of(model, objective, arguments, objective is CausalLm ? part : null);
        return Over(
            new OrtRuntime(graphs, arguments),
            runtime => new ModelSubject(runtime, model, arguments, graphs.Memory));
    }

    /// <inheritdoc/>
    public override void SetWeights(IReadOnlyDictionary<string, Tensor> weights) => _model.SetTrained(weights);

    /// <inheritdoc/>
    public override void Save(string folder, IReadOnlyDictionary<string, Tensor> weights)
    {
        _model.SetTrained(weights);
        _model.Save(folder);
    }

    /// <summary>A resumed run multiplies as its first part did, so that it ends with the same bits.</summary>
    private static TrainingArguments WithKernelOfCheckpoint(TrainingArguments arguments)
    {
        if (!arguments.Resume || arguments.OutputFolder is not { } folder)
            return arguments;
        var isOwn = arguments.Runtime.OwnProducts ?? TrainingCheckpoint.MultipliedByOwn(folder);
        return arguments with { Runtime = arguments.Runtime with { OwnProducts = isOwn } };
    }

    private static Dictionary<string, string> OriginOf(PeftModel model, TrainingArguments arguments) =>
        new(StringComparer.Ordinal)
        {
            [RunIdentity.Base] = ModelFingerprint.Of(model.Base),
            [RunIdentity.InitialWeights] = model.Origin,
            [RunIdentity.Products] = ProductKernel.Of(arguments.Runtime),
        };

    private static IReadOnlyList<BaseFile> FilesOf(Model model) =>
    [
        .. model.Graph.Initializers.SelectMany(static v => v.Initializer!.Data.Files).Distinct()
            .Select(static file => new BaseFile(file.Path, file.State)),
    ];

    /// <summary>Of several adapters each counts, under its name.</summary>
    private static Dictionary<string, string> IdentityOf(PeftModel model)
    {
        var identity = new Dictionary<string, string>(StringComparer.Ordinal);
        var names = model.Adapters.ActiveNames;
        foreach (var name in names)
            AdapterIdentity.Add(identity, model.Adapters.ConfigOf(name).ToJson(), names.Count == 1 ? "" : $"{name}.");
        return identity;
    }
}
