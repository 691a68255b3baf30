using Microsoft.ML.OnnxRuntime;
using OrtPeft.Artifacts;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Runtime.Feeding;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;
using OrtPeft.Training.Data;

namespace OrtPeft.Training.Runtime;

/// <summary>A batch's values for the inputs that a model has, for one run.</summary>
internal sealed class Feeds : IDisposable
{
    private readonly Ownership _owned = new();
    private readonly List<(string Input, OrtValue Value)> _values = [];

    /// <summary>Makes a value for each of some inputs.</summary>
    /// <param name="inputs">The inputs.</param>
    /// <param name="batch">The batch.</param>
    /// <exception cref="TrainingDataException">An input is not what the data brings.</exception>
    public Feeds(IEnumerable<ArtifactValue> inputs, Batch batch)
    {
        try
        {
            foreach (var input in inputs)
            {
                var tensor = Find(input, batch);
                var pin = _owned.Of(tensor.Data.Pin());
                _values.Add((input.Name, _owned.Of(TensorValues.Over(pin, tensor.Type, [.. tensor.Dims]))));
            }
        }
        catch
        {
            _owned.Dispose();
            throw;
        }
    }

    /// <summary>The values in the order of the inputs.</summary>
    public IReadOnlyList<(string Input, OrtValue Value)> Values => _values;

    /// <summary>Binds every value to its input.</summary>
    public void BindTo(OrtIoBinding binding)
    {
        foreach (var (input, value) in _values)
            binding.BindInput(input, value);
    }

    /// <inheritdoc/>
    public void Dispose() => _owned.Dispose();

    private static Tensor Find(ArtifactValue input, Batch batch)
    {
        if (batch.Feeds.TryGetValue(input.Name, out var tensor))
            return InTypeOf(input, tensor);
        if (input.Role == ValueRoles.EmptyPast)
            return EmptyPast(input, batch);
        throw Unfit(
            $"The model wants the input '{input.Name}', which the data does not bring; "
            + $"it brings {string.Join(", ", batch.Feeds.Keys)}.");
    }

    /// <summary>Older exports take the attention mask as float32.</summary>
    private static Tensor InTypeOf(ArtifactValue input, Tensor tensor)
    {
        if (input.Dtype is null || tensor.Type == input.Dtype)
            return tensor;
        var dims = tensor.Dims.AsSpan();
        return (tensor.Type, input.Dtype) switch
        {
            (ElementType.Int64, ElementType.Float) => Tensor.Of<float>(
                [.. tensor.ToInt64().Select(static v => (float)v)], dims),
            (ElementType.Int64, ElementType.Int32) => Tensor.Of<int>(
                [.. tensor.ToInt64().Select(static v => (int)v)], dims),
            _ => throw Unfit($"The model wants '{input.Name}' as {input.Dtype}; the data brings {tensor.Type}."),
        };
    }

    private static Tensor EmptyPast(ArtifactValue input, Batch batch)
    {
        var rows = batch.Feeds[DecoderNames.Ids].Dims[0];
        var rank = input.Dims!.Count;
        var dims = input.Dims.Select((d, i) => d.Length ?? (i == rank - 4 ? rows : 0)).ToArray();
        return new Tensor(input.Dtype!.Value, [.. dims], new MemoryTensorData(ReadOnlyMemory<byte>.Empty));
    }

    private static TrainingDataException Unfit(string message) => new(message, default);
}
