namespace OrtPeft.Onnx.Shapes.Rules;

/// <summary>Operators with subgraphs, which have been inferred before their rule runs.</summary>
internal static class ControlFlowRules
{
    public static IEnumerable<ShapeRow> Rows =>
    [
        new("If", 1, 1, If),
        new("Scan", 1, ShapeRow.AnyNumber, Scan) { Attributes = ["body", "num_scan_inputs"] },
    ];

    /// <summary>Gives the inputs of a <c>Scan</c>'s body type and axes: states keep theirs through all steps, and of the
    /// others each step reads a slice.</summary>
    public static void Enter(Node node)
    {
        var count = node.Is("Scan") ? node.Attributes.Int("num_scan_inputs", 0) : 0;
        if (count < 1 || count > node.Inputs.Count || node.Attributes.Graph("body") is not { } body
            || body.Inputs.Count != node.Inputs.Count)
            return;
        var states = node.Inputs.Count - count;
        var axes = node.Attributes.Ints("scan_input_axes");
        foreach (var (i, inside) in body.Inputs.Index())
        {
            if (node.Inputs[i] is not { } given)
                continue;
            inside.Type = given.Type;
            if (given.Shape is not { } shape)
                continue;
            var axis = i < states ? -1 : AxisOf(axes, (int)(i - states), shape.Rank);
            inside.Shape = i < states ? shape : Shape.Create([.. shape.Where((_, d) => d != axis)]);
        }
    }

    /// <summary>States go out as they come in; what each step gives is stacked along an axis of the steps' number.</summary>
    private static void Scan(ShapeContext c)
    {
        var (body, count) = (c.Attributes.Graph("body"), c.Count("num_scan_inputs"));
        var states = c.Node.Inputs.Count - count;
        if (body is null || count < 1 || states < 0)
            throw c.Error($"repeats a body over {count} of its {c.Node.Inputs.Count} inputs");
        if (body.Inputs.Count != c.Node.Inputs.Count || body.Outputs.Count != c.Node.Outputs.Count || body.Outputs.Count < states)
        {
            throw c.Error($"has {c.Node.Inputs.Count} inputs and {c.Node.Outputs.Count} outputs, and its body "
                + $"{body.Inputs.Count} and {body.Outputs.Count}");
        }

        var (inputAxes, outputAxes) = (c.Attributes.Ints("scan_input_axes"), c.Attributes.Ints("scan_output_axes"));
        var scanned = c.ShapeOf((int)states);
        var steps = scanned is { Rank: > 0 } ? scanned[AxisOf(inputAxes, 0, scanned.Rank)] : Dim.Unknown;
        foreach (var (i, result) in body.Outputs.Index())
        {
            if (i < states)
            {
                c.Set(i, result.Type, c.ShapeOf(i));
                continue;
            }

            var axis = result.Shape is { } each ? AxisOf(outputAxes, (int)(i - states), each.Rank + 1) : 0;
            c.Set(i, result.Type, result.Shape is { } shape ? Shape.Create([.. shape.Take(axis), steps, .. shape.Skip(axis)]) : null);
        }
    }

    private static int AxisOf(long[]? axes, int index, int rank)
    {
        var axis = axes is not null && index < axes.Length ? axes[index] : 0;
        return (int)Math.Clamp(axis < 0 ? axis + rank : axis, 0, Math.Max(0, rank - 1));
    }

    /// <summary>An output is what both branches agree on.</summary>
    private static void If(ShapeContext c)
    {
        var branches = c.Node.Subgraphs.ToArray();
        if (branches.Any(b => b.Outputs.Count != c.Node.Outputs.Count))
            throw c.Error("a branch has another number of results than the node");
        for (var i = 0; i < c.Node.Outputs.Count && branches.Length > 0; i++)
        {
            var results = branches.Select(b => b.Outputs[i]).ToArray();
            var type = results[0].Type;
            if (results.Any(r => r.Type != type))
                throw c.Error($"the branches make result {i} of different types: {string.Join<Value>("; ", results)}");
            c.Set(i, type, results.Select(static r => r.Shape).Aggregate(Common));
        }
    }

    private static Shape? Common(Shape? a, Shape? b) => a is null || b is null || a.Rank != b.Rank
        ? null
        : Shape.Create([.. a.Zip(b, static (x, y) => x.SurelyEquals(y) ? x : Dim.Unknown)]);
}
