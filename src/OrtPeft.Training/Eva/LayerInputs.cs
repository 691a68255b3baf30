using Microsoft.ML.OnnxRuntime;
using OrtPeft.Adapters.LinearAlgebra;
using OrtPeft.Adapters.Modules;
using OrtPeft.Artifacts;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Training.Data;
using OrtPeft.Training.Runtime;

namespace OrtPeft.Training.Eva;

/// <summary>Runs a base and hands out what its linear layers read. Layers that read the same value share it.</summary>
internal sealed class LayerInputs : IDisposable
{
    private readonly IReadOnlyList<ArtifactValue> _inputs;
    private readonly ModelSession _session;
    private readonly OrtIoBinding _binding;
    private readonly RunOptions _runOptions = new();

    /// <summary>Opens a session with the inputs of layers as outputs.</summary>
    /// <param name="baseModel">The base; not changed.</param>
    /// <param name="layers">The layers' names.</param>
    /// <param name="options">How to run it.</param>
    public LayerInputs(Model baseModel, IReadOnlySet<string> layers, RuntimeOptions options)
    {
        var model = baseModel.Clone();
        CanonicalForm.Apply(model);
        NameMap.Apply(model);
        var graph = model.Graph;
        var modules = ModuleCatalogue.LinearModules(graph).Where(m => layers.Contains(m.Name)).ToList();
        Sources = modules.ToDictionary(static m => m.Name, static m => m.Node.Inputs[0]!.Name, StringComparer.Ordinal);
        Features = modules.GroupBy(static m => m.Node.Inputs[0]!.Name, StringComparer.Ordinal).ToDictionary(
            static g => g.Key, static g => (int)g.First().InFeatures, StringComparer.Ordinal);
        foreach (var output in graph.Outputs.ToArray())
            graph.RemoveOutput(output);
        foreach (var source in Features.Keys)
            graph.AddOutput(graph.Find(source)!);
        graph.RemoveDeadCode();
        PastRemoval.Run(model);
        RowInputs.Run(model);
        DropoutLowering.ForEvaluation(model);
        _inputs = GraphContract.DataOf(graph);
        Axes = FixedAxes.Of(_inputs);
        try
        {
            _session = ModelSession.Open(model, options);
            _binding = _session.Session.CreateIoBinding();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>From a layer's name to that of the value that it reads.</summary>
    public IReadOnlyDictionary<string, string> Sources { get; }

    /// <summary>The number of features of each value.</summary>
    public IReadOnlyDictionary<string, int> Features { get; }

    /// <summary>The sizes that the graph takes at a time.</summary>
    public FixedAxes Axes { get; }

    /// <summary>Runs a batch.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="counts">Which positions to keep, [rows · columns]; null keeps all.</param>
    /// <param name="wanted">Whether a value is wanted.</param>
    /// <param name="take">Told of each value's kept rows.</param>
    public void Run(Batch batch, bool[]? counts, Func<string, bool> wanted, Action<string, Matrix> take)
    {
        using var feeds = new Feeds(_inputs, batch);
        feeds.BindTo(_binding);
        _binding.ClearBoundOutputs(); // else the last batch's memory, of its shape, would be written again
        foreach (var source in Features.Keys)
            _binding.BindOutputToDevice(source, OrtMemoryInfo.DefaultInstance);
        using var results = _session.Session.RunWithBoundResults(_runOptions, _binding);
        foreach (var (source, value) in Features.Keys.Zip(results))
        {
            if (wanted(source))
                take(source, Rows(value.GetTensorDataAsSpan<float>(), Features[source], counts));
        }
    }

    /// <summary>Fields that a failed constructor did not set are null here.</summary>
    public void Dispose()
    {
        _binding?.Dispose();
        _runOptions.Dispose();
        _session?.Dispose();
    }

    private static Matrix Rows(ReadOnlySpan<float> values, int features, bool[]? counts)
    {
        var all = values.Length / features;
        var isKept = counts is not null && counts.Length == all ? counts : [.. Enumerable.Repeat(true, all)];
        var rows = new Matrix(isKept.Count(static k => k), features);
        var at = 0;
        foreach (var (position, _) in isKept.Index().Where(static k => k.Item))
        {
            var row = rows.Row(at++);
            for (var i = 0; i < features; i++)
                row[i] = values[(position * features) + i];
        }

        return rows;
    }
}
