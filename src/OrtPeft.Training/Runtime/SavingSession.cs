using Microsoft.ML.OnnxRuntime;
using OrtPeft.Artifacts;
using OrtPeft.Runtime.Feeding;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;

using Tensor = OrtPeft.Tensors.Tensor;

namespace OrtPeft.Training.Runtime;

/// <summary>Runs a folder's model that turns trained parameters into what is saved.</summary>
internal static class SavingSession
{
    /// <summary>Runs it once.</summary>
    /// <param name="folder">The artifact folder.</param>
    /// <param name="graph">The model.</param>
    /// <param name="weights">The trained weights by name.</param>
    /// <param name="options">How to run it.</param>
    /// <returns>Tensors by their names on disk.</returns>
    /// <exception cref="OnnxFormatException">The model is missing, or ONNX Runtime refuses it.</exception>
    public static IReadOnlyDictionary<string, Tensor> Run(
        string folder, ArtifactGraph graph, IReadOnlyDictionary<string, Tensor> weights, RuntimeOptions options)
    {
        using var session = FolderGraphs.Open(folder, graph, options);
        using var runOptions = new RunOptions();
        var owned = new Stack<IDisposable>();
        try
        {
            var inputs = graph.Inputs.Select(input => Over(weights[input.Parameter ?? input.Name], owned)).ToArray();
            string[] inputNames = [.. graph.Inputs.Select(static v => v.Name)];
            string[] outputNames = [.. graph.Outputs.Select(static v => v.Name)];
            IDisposableReadOnlyCollection<OrtValue>? made = null;
            session.Run(() => made = session.Session.Run(runOptions, inputNames, inputs, outputNames));
            using var results = made!;
            return graph.Outputs.Zip(results).ToDictionary(
                static r => r.First.Parameter ?? r.First.Name,
                static r => Tensor.Of(r.Second.GetTensorDataAsSpan<float>(), r.Second.GetTensorTypeAndShape().Shape),
                StringComparer.Ordinal);
        }
        finally
        {
            while (owned.TryPop(out var value))
                value.Dispose();
        }
    }

    private static OrtValue Over(Tensor tensor, Stack<IDisposable> owned)
    {
        var pin = tensor.Data.Pin();
        owned.Push(pin);
        var value = TensorValues.Over(pin, tensor.Type, [.. tensor.Dims]);
        owned.Push(value);
        return value;
    }
}
