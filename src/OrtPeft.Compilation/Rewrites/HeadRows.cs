using OrtPeft.Kernels;
using OrtPeft.Kernels.Operators;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Shapes;

namespace OrtPeft.Compilation.Rewrites;

/// <summary>
/// Attention reads and writes heads side by side in each position's row, [batch, positions, heads, d], as linear layers
/// do, instead of head by head, [batch, heads, positions, d]. Nodes are visited in order: the exchange of positions and
/// heads is moved from what rotary embedding and attention read to what they write, until it meets its inverse. Heads may
/// be on two axes, groups and the heads of each.
/// </summary>
internal sealed class HeadRows
{
    private readonly GraphBuilder _g;
    private readonly Dictionary<(Value Table, int Rank), Value> _tables = [];

    private HeadRows(GraphBuilder g) => _g = g;

    public static void Run(GraphBuilder g)
    {
        g.Graph.SortTopologically();
        var pass = new HeadRows(g);
        foreach (var node in g.Graph.Nodes.ToArray())
        {
            (g.Before, g.Scope) = (node, node.Name);
            pass.Visit(node);
        }

        g.Graph.RemoveDeadCode();
    }

    private void Visit(Node node)
    {
        if (Attention.Forward.Is(node))
            Attend(node, Attention.ForwardInRows, firstOfThree: 0, ofHeads: [0, 1, 2], results: 1);
        else if (Attention.Backward.Is(node))
            Attend(node, Attention.BackwardInRows, firstOfThree: 1, ofHeads: [0, 1, 2, 3, 5], results: 3);
        else if (node.Inputs is not [{ } x, ..] || RowsOf(x) is not { } rows)
            return;
        else if (IsExchange(node, toHeads: false))
            Replacement.Put(_g, node, rows);
        else if (node.Is("Reshape") && AreHeadsRegrouped(x.Shape, node.Output.Shape))
            Replacement.Put(_g, node, ByHeads(Regrouped(rows, node.Output.Shape!)));
        else if (RotaryEmbedding.Forward.Is(node) || RotaryEmbedding.Backward.Is(node))
            Rotate(node, rows);
    }

    private void Rotate(Node node, Value rows)
    {
        if (Table(node.Inputs[1]!, rows) is not { } cos || Table(node.Inputs[2]!, rows) is not { } sin)
            return;
        var result = FusedOps.Of(node)!.Apply(_g, [rows, cos, sin])[0];
        result.Shape = rows.Shape;
        Replacement.Put(_g, node, ByHeads(result));
    }

    /// <summary>Queries, keys and values must all come from rows; what else is of heads is brought into them.</summary>
    private void Attend(Node node, FusedOp op, int firstOfThree, int[] ofHeads, int results)
    {
        if (node.Inputs.Skip(firstOfThree).Take(3).Any(static x => RowsOf(x!) is null))
            return;
        var inputs = node.Inputs.ToArray();
        foreach (var input in ofHeads)
            inputs[input] = RowsOf(inputs[input]!) ?? Exchanged(inputs[input]!);
        var outputs = op.Apply(_g, inputs);
        Replacement.Put(_g, node, [.. outputs.Take(results).Select(ByHeads), .. outputs.Skip(results)]);
    }

    /// <summary>The rows that a value of heads was made of, or null.</summary>
    private static Value? RowsOf(Value heads) =>
        heads.Producer is { } node && IsExchange(node, toHeads: true) && node.Inputs[0] is { Shape: not null } rows
            ? rows
            : null;

    private static bool IsExchange(Node node, bool toHeads) => SwapAxes.Forward.Is(node)
        || (node.Is("Transpose") && node.Output.Shape?.Rank is 4 or 5
            && node.Attributes.Ints("perm").SequenceEqual(Order(node.Output.Shape!.Rank, toHeads)));

    /// <summary>The axis of rows that each axis of heads is, or the other way round.</summary>
    private static long[] Order(int rank, bool toHeads) => (rank, toHeads) switch
    {
        (4, _) => [0, 2, 1, 3],
        (_, true) => [0, 2, 3, 1, 4],
        _ => [0, 3, 1, 2, 4],
    };

    private Value ByHeads(Value rows) => rows.Shape is { Rank: 5 }
        ? _g.Transpose(rows, Order(5, toHeads: true))
        : Exchanged(rows);

    private Value Exchanged(Value x) => SwapAxes.Forward.Apply(_g, [x])[0];

    /// <summary>Whether nothing but the axes that heads are on changes.</summary>
    private static bool AreHeadsRegrouped(Shape? from, Shape? to) =>
        from is { Rank: 4 or 5 } && to is { Rank: 4 or 5 } && from[0].SurelyEquals(to[0])
        && from[from.Rank - 2].SurelyEquals(to[to.Rank - 2]) && from[from.Rank - 1].Value is { } d
        && to[to.Rank - 1].Value == d && AreHeadsKnown(from) && AreHeadsKnown(to);

    private static bool AreHeadsKnown(Shape heads) =>
        heads.Skip(1).Take(heads.Rank - 3).All(static n => n.Value is not null);

    private Value Regrouped(Value rows, Shape heads)
    {
        long[] inner = [.. heads.Skip(1).Take(heads.Rank - 3).Append(heads[heads.Rank - 1]).Select(static n => n.Value!.Value)];
        return _g.Reshape(rows, [0, 0, .. inner]);
    }

    /// <summary>Cosines or sines for rows, of those for heads; null where their axes are not known.</summary>
    private Value? Table(Value table, Value rows)
    {
        if (table.Shape is not { } shape || rows.Shape is not { Rank: var rank } || shape.Rank > rank)
            return null;
        if (shape.Rank < 2)
            return table;
        if (!_tables.TryGetValue((table, rank), out var turned))
        {
            var whole = shape.Rank == rank
                ? table
                : _g.Unsqueeze(table, [.. Enumerable.Range(0, rank - shape.Rank).Select(static axis => (long)axis)]);
            turned = _g.Transpose(whole, Order(rank, toHeads: false));
            _tables.Add((table, rank), turned);
        }

        return turned;
    }
}
