using OrtPeft.Onnx;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Adapters.Merging;

/// <summary>Where constants of the canonical form come from: constants of the graph as it was given.</summary>
internal sealed class SourcePlaces
{
    private readonly Dictionary<TensorData, Value?> _constants = [];

    /// <summary>Lists a graph's constants; what stands twice under one content has no place.</summary>
    public SourcePlaces(Graph original)
    {
        foreach (var value in original.Values.Where(static v => v.Constant is not null))
        {
            if (!_constants.TryAdd(value.Constant!.Data, value))
                _constants[value.Constant!.Data] = null;
        }
    }

    /// <summary>A constant of the given graph, and which of its columns, in the layout of the canonical form.</summary>
    internal readonly record struct Place(Value Source, int First, int? Columns)
    {
        /// <summary>Whether two places have a column in common.</summary>
        public bool Overlaps(Place other) => Source == other.Source && (Columns is not { } mine
            || other.Columns is not { } theirs || (First < other.First + theirs && other.First < First + mine));
    }

    /// <summary>Columns of a constant of the canonical form, and where they come from.</summary>
    /// <param name="Place">Where they come from.</param>
    /// <param name="First">The first of them.</param>
    /// <param name="Columns">How many; null where they are the whole constant.</param>
    internal readonly record struct Piece(Place Place, int First, int? Columns);

    /// <summary>The pieces that a constant is made of, one but where several were joined; none where one was computed, or is
    /// not one constant's.</summary>
    public IReadOnlyList<Piece> Of(Value constant)
    {
        var data = constant.Initializer?.Data ?? QuantizedWeight.Find(constant)?.Content.Values.Data;
        if (data is not { Parts: { Count: > 0 } parts })
            return Of(data) is { } whole ? [new Piece(whole, 0, null)] : [];
        var (pieces, first) = (new List<Piece>(), 0);
        foreach (var part in parts)
        {
            if (Of(part.Data) is not { } place)
                return [];
            var columns = checked((int)part.Dims[^1]);
            pieces.Add(new Piece(place, first, columns));
            first += columns;
        }

        return pieces;
    }

    /// <summary>The place of bytes.</summary>
    private Place? Of(TensorData? data)
    {
        var (first, columns) = (0, (int?)null);
        for (; data is not null; data = data.Origin?.Source.Data)
        {
            if (_constants.TryGetValue(data, out var source))
                return source is null ? null : new Place(source, first, columns);
            first += data.Origin?.FirstColumn ?? 0;
            columns ??= data.Origin?.Columns;
        }

        return null;
    }
}
