using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Kernels.Operators;

/// <summary>How graphs take rows apart into heads, <c>Split → Reshape → Transpose</c>, and put them together.</summary>
/// <param name="Rows">[batch, positions, 3·heads·d].</param>
/// <param name="Heads">How many heads each part has.</param>
/// <param name="Parts">The nodes that make queries, keys and values, [batch, heads, positions, d].</param>
internal sealed record HeadsForm(Value Rows, long Heads, IReadOnlyList<Node> Parts)
{
    /// <summary>Puts one node in the place of all of a form's.</summary>
    public static void Raise(RaisingContext context)
    {
        foreach (var node in context.Nodes("Split"))
        {
            if (Of(node) is not { } form)
                continue;
            context.Before(node);
            if (context.Apply(Operators.Heads.Split, [form.Rows, context.G.Int64Scalar(form.Heads)]) is not { } parts)
                continue;
            foreach (var (part, result) in form.Parts.Zip(parts))
            {
                result.Shape = part.Output.Shape;
                Replacement.Put(context.G, part, result);
            }
        }
    }

    /// <summary>The form that a <c>Split</c> begins, or null.</summary>
    public static HeadsForm? Of(Node? split)
    {
        if (split is null || !split.Is("Split") || split.Outputs.Count != Operators.Heads.Parts
            || split.Inputs[0] is not { Shape: { Rank: 3 } rows } x || !x.Type.IsFloating()
            || split.Attributes.Int("axis", 0) is not (2 or -1)
            || split.Outputs.Any(static o => o is not { IsGraphOutput: false, Uses.Count: 1 }))
            return null;
        var parts = split.Outputs.Select(static o => SwapBehind(o.Uses[0].Node)).OfType<Node>().ToArray();
        return parts.Length == Operators.Heads.Parts && parts[0].Output.Shape![1].Value is { } heads
            && parts.All(p => AreOf(p.Output.Shape!, heads, rows))
                ? new HeadsForm(x, heads, parts)
                : null;
    }

    /// <summary>Whether a part's heads are a third of the rows, position by position.</summary>
    private static bool AreOf(Shape part, long heads, Shape rows) =>
        part[0].SurelyEquals(rows[0]) && part[2].SurelyEquals(rows[1]) && part[1].Value == heads
        && heads * part[3].Value is { } width && rows[2].Value == Operators.Heads.Parts * width;

    /// <summary>Rows [batch, positions, 3·heads·d] as parts [batch, heads, positions, d].</summary>
    public static IReadOnlyList<Value> Apart(GraphBuilder g, Value rows, long heads)
    {
        var width = rows.Shape![2].Value!.Value / Operators.Heads.Parts;
        return [.. g.Split(rows, 2, width, width, width).Select(part => Apart(g, part, heads, width / heads))];
    }

    /// <summary>Rows [batch, positions, heads·d] as [batch, heads, positions, d].</summary>
    public static Value Apart(GraphBuilder g, Value rows, long heads, long d) =>
        g.Transpose(g.Reshape(rows, 0, 0, heads, d), 0, 2, 1, 3);

    /// <summary>[batch, heads, positions, d] as rows [batch, positions, heads·d].</summary>
    public static Value Together(GraphBuilder g, Value x) =>
        g.Reshape(g.Transpose(x, 0, 2, 1, 3), 0, 0, x.Shape![1].Value!.Value * x.Shape[3].Value!.Value);

    /// <summary>The node that puts a value's heads together as rows, if nothing else reads the value; or null.
    /// </summary>
    public static Node? RowsOf(Value heads)
    {
        if (heads is not { IsGraphOutput: false, Uses: [{ Node: var swap }] } || !IsSwap(swap)
            || swap.Output is not { IsGraphOutput: false, Shape: { } four, Uses: [{ Node: var reshape, Index: 0 }] }
            || !reshape.Is("Reshape") || reshape.Output.Shape is not { Rank: 3 } three)
            return null;
        return four[2].Value * four[3].Value is { } width && three[2].Value == width
            && three[0].SurelyEquals(four[0]) && three[1].SurelyEquals(four[1]) ? reshape : null;
    }

    /// <summary>Whether a node exchanges the second and the third of four axes.</summary>
    public static bool IsSwap(Node node) =>
        node.Is("Transpose") && node.Output.Shape?.Rank == 4 && node.Attributes.Ints("perm") is [0, 2, 1, 3];

    private static Node? SwapBehind(Node reshape) => reshape.Is("Reshape")
        && reshape.Output is { IsGraphOutput: false, Shape.Rank: 4, Uses: [{ Node: var swap }] } && IsSwap(swap)
            ? swap
            : null;
}
