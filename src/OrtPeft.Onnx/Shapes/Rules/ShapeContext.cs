using System.Collections.Immutable;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Shapes.Rules;

/// <summary>
/// One node as its rule sees it: what is known of the inputs, and where to put what follows for the outputs.
/// </summary>
internal sealed class ShapeContext(Node node, ShapeInference inference)
{
    public Node Node => node;

    public int Opset => inference.Opset;

    public AttributeMap Attributes => node.Attributes;

    public Shape? ShapeOf(int input) => node.Input(input)?.Shape;

    public ElementType TypeOf(int input) => node.Input(input)?.Type ?? ElementType.Undefined;

    public bool Has(int input) => node.Input(input) is not null;

    public IReadOnlyList<SymbolicInteger?>? DataOf(int input) =>
        node.Input(input) is { } value ? inference.DataOf(value) : null;

    /// <summary>An input's elements when all are plain numbers.</summary>
    public long[]? NumbersOf(int input) =>
        DataOf(input) is { } data && data.All(static d => d?.Constant is not null)
            ? [.. data.Select(static d => d!.Constant!.Value)]
            : null;

    /// <summary>The single number that an input holds, if known.</summary>
    public long? NumberOf(int input) => NumbersOf(input) is [var only] ? only : null;

    /// <summary>
    /// Integers that older opsets give as an attribute and newer ones as an input; null when not known.
    /// </summary>
    public long[]? NumbersOf(string attribute, int input) => Attributes.Ints(attribute) ?? NumbersOf(input);

    /// <summary>An input whose elements are axes, as a shape; only the rank may be known.</summary>
    public Shape? AxesIn(int input)
    {
        if (DataOf(input) is { } data)
            return Shape.Create([.. data.Select(Length)]);
        return ShapeOf(input) is { Rank: 1 } axes && axes[0].Value is { } rank and <= IntegerData.MaxElements
            ? Unknown((int)rank)
            : null;
    }

    /// <summary>An input that holds one length.</summary>
    public Dim LengthIn(int input) => DataOf(input) is [var only] ? Length(only) : Dim.Unknown;

    /// <summary>An attribute that names an element type.</summary>
    public ElementType TypeIn(string attribute, ElementType otherwise) =>
        Attributes.ElementType(attribute, otherwise)
            ?? throw Error($"'{attribute}' is {Attributes.Int(attribute, 0)}, which is not an element type");

    public static Shape Unknown(int rank) => Shape.Create([.. Enumerable.Repeat(Dim.Unknown, rank)]);

    /// <summary>An axis counted from the front, checked.</summary>
    public int Axis(long axis, int rank)
    {
        if (axis < -rank || axis >= rank)
            throw Error($"axis {axis} lies outside of rank {rank}");
        return (int)(axis < 0 ? axis + rank : axis);
    }

    public int[] Axes(IEnumerable<long> axes, int rank)
    {
        int[] normalised = [.. axes.Select(a => Axis(a, rank))];
        return normalised.Distinct().Count() == normalised.Length
            ? normalised
            : throw Error($"an axis is named twice in [{string.Join(", ", normalised)}]");
    }

    /// <summary>Two lengths that must be the same at run time: the better known of them.</summary>
    public Dim Same(Dim a, Dim b, string what)
    {
        if (a.Value is { } x && b.Value is { } y && x != y)
            throw Error($"{what} must be equal, not {x} and {y}");
        if (a.Value is not null)
            return a;
        return b.Value is not null || !a.IsKnown ? b : a;
    }

    /// <summary>The element type that several inputs must share.</summary>
    public ElementType SameType(params IEnumerable<int> inputs)
    {
        var type = ElementType.Undefined;
        foreach (var next in inputs.Select(TypeOf).Where(static t => t != ElementType.Undefined))
        {
            if (type != ElementType.Undefined && type != next)
                throw Error($"the element types must be equal, not {type} and {next}");
            type = next;
        }

        return type;
    }

    /// <summary>The ranks an input may have, when its own is known at all.</summary>
    public Shape? Ranked(int input, params ReadOnlySpan<int> ranks) =>
        ShapeOf(input) is { } shape && !ranks.Contains(shape.Rank)
            ? throw Error($"input {input} must have rank {string.Join(" or ", ranks.ToArray())}, not {shape.Rank}")
            : ShapeOf(input);

    /// <summary>An attribute that counts heads, groups, rows or columns.</summary>
    public long Count(string attribute, long otherwise = 0) =>
        Attributes.Int(attribute, otherwise) is >= 1 and <= int.MaxValue and var count
            ? count
            : throw Error($"'{attribute}' is {Attributes.Int(attribute, otherwise)}, not 1 to {int.MaxValue}");

    /// <summary>One of the equal parts that a length is made of.</summary>
    public Dim Part(Dim length, Dim parts, string what) =>
        length.Value is { } whole && parts.Value is { } count && (count < 1 || whole < count || whole % count != 0)
            ? throw Error($"{what} is {whole}, which does not make {count} equal parts")
            : length.Over(parts);

    /// <summary>Checks an input that holds one element, as far as its type and axes are known.</summary>
    public void MustBeSingle(int input, string what, Func<ElementType, bool> fits)
    {
        var isOfType = TypeOf(input) is var type && (type == ElementType.Undefined || fits(type));
        var isSingle = ShapeOf(input) is not { } shape || shape.All(static d => d.Value is null or 1);
        if (Has(input) && !(isOfType && isSingle))
            throw Error($"input {input} must be {what}");
    }

    /// <summary>
    /// Sets an output. Where nothing is inferred, plain lengths that the file states stay; its labels do not, since two
    /// axes with equal labels need not be equal.
    /// </summary>
    public void Set(int output, ElementType type, Shape? shape)
    {
        if (output >= node.Outputs.Count)
            return;
        var value = node.Outputs[output];
        if (shape?.FirstOrDefault(static d => d.Value < 0) is { IsKnown: true } negative)
            throw Error($"an axis of output {output} would have the length {negative}");
        if (type != ElementType.Undefined)
            value.Type = type;
        var stated = value.Shape;
        if (stated is null || (shape is not null && shape.Rank != stated.Rank))
            value.Shape = shape;
        else
            value.Shape = Shape.Create([.. stated.Select((s, i) => Better(shape?[i] ?? Dim.Unknown, s))]);
    }

    /// <summary>Sets what is known of a small integer output's elements; rank 0 or 1, else nothing is kept.</summary>
    public void SetData(IReadOnlyList<SymbolicInteger?>? data)
    {
        var value = node.Outputs[0];
        if (data is { Count: <= IntegerData.MaxElements } && value.Shape is { Rank: <= 1 } && IntegerData.Holds(value.Type))
            inference.SetData(value, data);
    }

    public GraphException Error(string what)
    {
        var inputs = node.Inputs.Select(static i => i?.ToString() ?? "none");
        return new($"{node} (opset {Opset}): {what}; inputs: {string.Join("; ", inputs)}.");
    }

    public ImmutableArray<int> AllInputs() => [.. Enumerable.Range(0, node.Inputs.Count)];

    private static Dim Better(Dim inferred, Dim stated)
    {
        if (inferred.IsKnown)
            return inferred;
        return stated.Value is not null ? stated : Dim.Unknown;
    }

    private Dim Length(SymbolicInteger? element) =>
        element?.Constant < 0 ? throw Error($"the length {element} is negative") : Dim.Of(element);
}
