using Microsoft.ML.OnnxRuntime;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Quantization;

/// <summary>A model's loss on a batch in float64, with parameters that can be moved along a line.</summary>
internal sealed class ExactLoss : IDisposable
{
    private readonly InferenceSession _session;
    private readonly Dictionary<string, Tensor> _feeds;

    public ExactLoss(PeftModel peft, IReadOnlyDictionary<string, Tensor> batch)
    {
        using var options = new SessionOptions
        {
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL,
            IntraOpNumThreads = 1,
        };
        var graph = DoublePrecision.Of(EvaluationGraph.Build(peft, new CausalLm()).Model);
        _session = new InferenceSession(OnnxFile.ToBytes(graph), options);
        _feeds = new Dictionary<string, Tensor>(batch);
        foreach (var (name, tensor) in peft.GetWeights())
            _feeds[name] = DoublePrecision.Of(tensor);
    }

    /// <summary>The sum of the losses with a parameter moved by a distance along a direction.</summary>
    public double At(string parameter, float[] direction, double distance)
    {
        var here = _feeds[parameter];
        double[] moved = [.. here.Span<double>().ToArray().Zip(direction, (at, d) => at + (distance * d))];
        var feeds = new Dictionary<string, Tensor>(_feeds) { [parameter] = DoublePrecision.Of(moved, here) };
        return OnnxRun.Of(_session, feeds)[TrainingGraph.LossSum].Span<double>()[0];
    }

    public void Dispose() => _session.Dispose();
}
