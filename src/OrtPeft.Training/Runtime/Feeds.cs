using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using OrtPeft.Inference.Sessions;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Storage;
using OrtPeft.Training.Data;

namespace OrtPeft.Training.Runtime;

/// <summary>Binds what a batch brings to the inputs that a graph has, for one run.</summary>
internal sealed class Feeds : IDisposable
{
    private readonly List<IDisposable> _owned = [];

    /// <summary>Binds every input that is not bound already.</summary>
    /// <param name="graph">The graph that runs.</param>
    /// <param name="batch">The batch.</param>
    /// <param name="bound">Inputs that are bound for good.</param>
    /// <param name="binding">Receives the values.</param>
    public Feeds(Graph graph, FeedBatch batch, IReadOnlySet<string> bound, OrtIoBinding binding)
    {
        foreach (var input in graph.Inputs.Where(i => !bound.Contains(i.Name)))
        {
            var tensor = Find(input, batch);
            var pin = tensor.Data.Pin();
            _owned.Add(pin);
            var value = TensorValues.Over(pin, tensor.Type, [.. tensor.Dims]);
            _owned.Add(value);
            binding.BindInput(input.Name, value);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        for (var i = _owned.Count - 1; i >= 0; i--)
            _owned[i].Dispose();
    }

    private static Tensor Find(Value input, FeedBatch batch)
    {
        if (batch.Feeds.TryGetValue(input.Name, out var tensor))
            return InTypeOf(input, tensor);
        if (PastRemoval.IsPast(input))
            return EmptyPast(input, batch);
        throw new GraphException(
            $"The model wants the input '{input.Name}', which the data does not bring; " +
            $"it brings {string.Join(", ", batch.Feeds.Keys)}.");
    }

    /// <summary>Older exports take the attention mask as float32.</summary>
    private static Tensor InTypeOf(Value input, Tensor tensor)
    {
        if (tensor.Type == input.Type || input.Type == ElementType.Undefined)
            return tensor;
        var dims = tensor.Dims.AsSpan();
        return (tensor.Type, input.Type) switch
        {
            (ElementType.Int64, ElementType.Float) => Tensor.Of<float>(
                [.. tensor.ToInt64().Select(static v => (float)v)], dims),
            (ElementType.Int64, ElementType.Int32) => Tensor.Of<int>(
                [.. tensor.ToInt64().Select(static v => (int)v)], dims),
            _ => throw new GraphException(string.Create(
                CultureInfo.InvariantCulture,
                $"The model wants '{input.Name}' as {input.Type}; the data brings {tensor.Type}.")),
        };
    }

    private static Tensor EmptyPast(Value input, FeedBatch batch)
    {
        var rows = batch.Feeds["input_ids"].Dims[0];
        var shape = input.Shape!;
        var dims = shape.Select((d, i) => d.Value ?? (i == shape.Rank - 4 ? rows : 0)).ToArray();
        return new Tensor(input.Type, [.. dims], new MemoryTensorData(ReadOnlyMemory<byte>.Empty));
    }
}
