using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Numerics;

namespace OrtPeft.Adapters.Merging;

/// <summary>
/// Writes what merging changed in the canonical form into a copy of the graph as it was given: nodes, names, operator
/// sets, types and metadata stay, and weights that no adapter changes are the base's byte for byte.
/// </summary>
internal sealed class SourceGraph
{
    private readonly Model _copy;
    private readonly SourcePlaces _places;
    private readonly bool _toFloat;
    private readonly RoundedWeights _rounded;
    private int _requantized;
    private double _error;

    private SourceGraph(Model original, MergeForm form)
    {
        _copy = original.Clone();
        _places = new SourcePlaces(original.Graph);
        _toFloat = form is MergeForm.Float or MergeForm.Float32;
        _rounded = new RoundedWeights(isAllowed: form != MergeForm.Float32);
    }

    /// <summary>Makes the copy.</summary>
    /// <param name="given">The base.</param>
    /// <param name="merged">Its canonical form with adapters merged.</param>
    /// <param name="form">What becomes of layers that are not of float32.</param>
    /// <returns>The merged model; null where a change does not stand for a constant of the given graph, or would be
    /// rounded but may not.</returns>
    public static MergeOutcome? With(BaseModel given, Model merged, MergeForm form)
    {
        if (ConstantUse.All(given.Canonical.Graph, merged.Graph) is not { } uses)
            return null;
        var graph = new SourceGraph(given.Original, form);
        if (!graph.Write(uses))
            return null;
        DecoderNaming.Restore(graph._copy);
        return new MergeOutcome(graph._copy, IsSourceGraph: true, graph._requantized, graph._error)
        {
            Rounded = graph._rounded.Count,
            RoundingError = graph._rounded.RelativeError,
            UnitRoundoff = graph._rounded.UnitRoundoff,
        };
    }

    private bool Write(IReadOnlyList<ConstantUse> uses)
    {
        var pieces = uses.Select(u => (Use: u, Pieces: _places.Of(u.Old))).ToList();
        if (pieces.Any(static p => p is { Use.New: not null, Pieces: [] }))
            return false;
        var placed = pieces.SelectMany(static p => p.Pieces.Select(piece => (Use: p.Use.In(piece), piece.Place)));
        foreach (var group in placed.GroupBy(static p => p.Place.Source))
        {
            var all = group.ToList();
            var changed = all.Where(static p => p.Use.New is not null).ToList();
            var isShared = changed.Any(c => all.Any(o => o.Use.New != c.Use.New && o.Place.Overlaps(c.Place)));
            var isWritten = isShared
                ? changed.All(c => SetApart(c.Use, c.Place))
                : changed.Count == 0 || Set(group.Key, changed);
            if (!isWritten)
                return false;
        }

        return true;
    }

    /// <summary>Gives a constant of the copy new content, all of it or columns.</summary>
    private bool Set(Value source, IReadOnlyList<(ConstantUse Use, SourcePlaces.Place Place)> changes)
    {
        var target = _copy.Graph.Find(source.Name)!;
        var old = source.Constant!;
        if (!old.Type.IsFloating())
            return target.Uses.Select(static u => u.Node).Distinct().ToList() is [var node]
                && SetQuantized(node, target, changes);
        if (!_rounded.Allows(old.Type))
            return false;
        var before = old.ToFloat32();
        float[] content = [.. before];
        foreach (var (use, place) in changes)
        {
            if (!Put(content, old.Dims.IsEmpty ? 1 : old.Dims[^1], use.New!, place))
                return false;
        }

        var tensor = _rounded.Store(target.Name, before, content, old.Type, old.Dims.AsSpan());
        if (target.Initializer is not null)
            _copy.Graph.SetInitializer(target, tensor.WithName(target.Name));
        else if (target.Producer is { } constant && constant.Attributes.Contains("value"))
            constant.Attributes.Set(NodeAttribute.Of("value", tensor));
        else
            return false;
        return true;
    }

    /// <summary>Puts columns in their place.</summary>
    private static bool Put(float[] content, long width, Tensor change, SourcePlaces.Place place)
    {
        var numbers = change.ToFloat32();
        if (place.Columns is not { } columns)
        {
            if (numbers.Length != content.Length)
                return false;
            numbers.CopyTo(content, 0);
            return true;
        }

        for (var row = 0; row < numbers.Length / columns; row++)
            Array.Copy(numbers, row * columns, content, (row * width) + place.First, columns);
        return true;
    }

    /// <summary>Where several places read a constant and not all change alike, one gets a constant of its own.</summary>
    private bool SetApart(ConstantUse use, SourcePlaces.Place place)
    {
        if (place.Columns is not null || CounterpartOf(use.Node) is not { } node)
            return false;
        var source = place.Source;
        if (!source.Constant!.Type.IsFloating())
        {
            var packed = _copy.Graph.Find(source.Name)!;
            return node.Inputs.Contains(packed) && SetQuantized(node, packed, [(use, place)]);
        }

        var index = node.Inputs.Index().FirstOrDefault(i => ReadsFrom(i.Item, source.Name), (-1, null)).Index;
        if (index < 0 || !_rounded.Allows(source.Constant.Type))
            return false;
        var isTurned = node.Inputs[index]!.Producer is { } turn && turn.Is("Transpose");
        var content = isTurned ? Transposing.Of(use.New!) : use.New!;
        var name = _copy.Graph.FreshName(source.Name);
        var dims = isTurned ? content.Dims : source.Constant.Dims;
        var tensor = _rounded.Store(
            source.Name, source.Constant.ToFloat32(), content.ToFloat32(), source.Constant.Type, dims.AsSpan());
        node.SetInput(index, _copy.Graph.AddInitializer(name, tensor.WithName(name)));
        return true;
    }

    /// <summary>The node of the copy whose result a canonical node's is, its bias added or not.</summary>
    private Node? CounterpartOf(Node canonical)
    {
        var own = _copy.Graph.Find(canonical.Output.Name)?.Producer;
        return own ?? (canonical.Output.Uses is [{ Node: var next }]
            ? _copy.Graph.Find(next.Output.Name)?.Producer
            : null);
    }

    private static bool ReadsFrom(Value? input, string source) => input is not null
        && (input.Name == source || (input.Producer is { } turn && turn.Is("Transpose") && turn.Inputs[0]!.Name == source));

    private bool SetQuantized(
        Node node, Value packed, IReadOnlyList<(ConstantUse Use, SourcePlaces.Place Place)> changes)
    {
        var layer = SourceWeight.Of(node, packed);
        if (layer is null)
            return false;
        var before = layer.Numbers();
        float[] content = [.. before];
        foreach (var (use, place) in changes)
        {
            if (!Put(content, layer.Columns, use.New!, place))
                return false;
        }

        var g = new GraphBuilder(_copy.Graph, new ShapeInference(_copy.Opset));
        if (_toFloat || !layer.CanBeRequantized)
        {
            if (!_rounded.Allows(layer.FloatType))
                return false;
            layer.BecomeFloat(g, _rounded.Store(packed.Name, before, content, layer.FloatType, layer.Dims));
            return true;
        }

        _error = Math.Max(_error, layer.Requantize(g, content));
        _requantized++;
        return true;
    }
}
