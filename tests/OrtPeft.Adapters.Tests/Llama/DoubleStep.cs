using Microsoft.ML.OnnxRuntime;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Llama;

/// <summary>The training graph of a batch in float64, whose parameters can be moved.</summary>
internal sealed class DoubleStep : IDisposable
{
    private readonly InferenceSession _training;
    private readonly InferenceSession _loss;
    private readonly Dictionary<string, Tensor> _feeds;

    public DoubleStep(PeftModel peft, IReadOnlyDictionary<string, Tensor> batch)
    {
        _training = Open(TrainingGraph.Build(peft, new CausalLm()).Model);
        _loss = Open(EvaluationGraph.Build(peft, new CausalLm()).Model);
        _feeds = new Dictionary<string, Tensor>(batch) { [TrainingGraph.Scale] = Tensor.Scalar(1.0) };
        foreach (var (name, tensor) in peft.GetWeights())
            _feeds[name] = DoublePrecision.Of(tensor);
        Parameters = [.. peft.Parameters.Select(static p => p.Name)];
    }

    public IReadOnlyList<string> Parameters { get; }

    public double[] this[string parameter] => _feeds[parameter].Span<double>().ToArray();

    public Dictionary<string, double[]> Gradients()
    {
        var outputs = OnnxRun.Of(_training, _feeds);
        return Parameters.ToDictionary(
            static p => p, p => outputs[TrainingGraph.GradientOf(p)].Span<double>().ToArray());
    }

    /// <summary>The sum of the losses with some parameters moved.</summary>
    public double Loss(IReadOnlyDictionary<string, double[]> moved)
    {
        var feeds = new Dictionary<string, Tensor>(_feeds);
        foreach (var (name, values) in moved)
            feeds[name] = DoublePrecision.Of(values, _feeds[name]);
        return OnnxRun.Of(_loss, feeds)[TrainingGraph.LossSum].Span<double>()[0];
    }

    public void Dispose()
    {
        _training.Dispose();
        _loss.Dispose();
    }

    private static InferenceSession Open(Model model)
    {
        using var options = new SessionOptions
        {
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL,
            IntraOpNumThreads = 1,
        };
        return new InferenceSession(OnnxFile.ToBytes(DoublePrecision.Of(model)), options);
    }
}
