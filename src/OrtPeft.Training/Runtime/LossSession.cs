using Microsoft.ML.OnnxRuntime;
using OrtPeft.Adapters.Artifacts;
using OrtPeft.Inference.Sessions;
using OrtPeft.Onnx;
using OrtPeft.Training.Data;

namespace OrtPeft.Training.Runtime;

/// <summary>
/// Runs a training or an evaluation graph. Parameters and gradients are bound once, as views into the flat vectors; a
/// step
/// binds only its batch.
/// </summary>
internal sealed class LossSession : IDisposable
{
    private readonly Graph _graph;
    private readonly ModelSession _session;
    private readonly OrtIoBinding _binding;
    private readonly RunOptions _runOptions = new();
    private readonly HashSet<string> _bound = new(StringComparer.Ordinal);
    private readonly float[] _sum = new float[1];
    private readonly long[] _count = new long[1];
    private readonly List<OrtValue> _results = [];

    public LossSession(Model model, RuntimeOptions options)
    {
        _graph = model.Graph;
        _session = ModelSession.Open(model, options);
        _binding = _session.Session.CreateIoBinding();
        Output(TrainingGraph.LossSum, TensorValues.Over(_sum));
        Output(TrainingGraph.Count, TensorValues.Over(_count));
    }

    /// <summary>Whether the graph has an input of this name.</summary>
    public bool Has(string input) => _graph.Inputs.Any(i => i.Name == input);

    /// <summary>Binds an input for all runs.</summary>
    public void BindInput(string name, OrtValue value)
    {
        _binding.BindInput(name, value);
        _bound.Add(name);
    }

    /// <summary>Binds an output for all runs.</summary>
    public void BindOutput(string name, OrtValue value) => _binding.BindOutput(name, value);

    /// <summary>Runs a batch.</summary>
    /// <returns>The sum of the losses and the number of elements it counts.</returns>
    public (double Sum, long Count) Run(FeedBatch batch)
    {
        using var feeds = new Feeds(_graph, batch, _bound, _binding);
        _session.Session.RunWithBinding(_runOptions, _binding);
        return (_sum[0], _count[0]);
    }

    public void Dispose()
    {
        _binding.Dispose();
        _runOptions.Dispose();
        _session.Dispose();
        foreach (var result in _results)
            result.Dispose();
    }

    private void Output(string name, OrtValue value)
    {
        _results.Add(value);
        _binding.BindOutput(name, value);
    }
}
