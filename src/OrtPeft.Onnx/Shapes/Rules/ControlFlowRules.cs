namespace OrtPeft.Onnx.Shapes.Rules;

/// <summary>Operators with subgraphs, which have been inferred before their rule runs.</summary>
internal static class ControlFlowRules
{
    public static IEnumerable<ShapeRow> Rows => [new("If", 1, 1, If)];

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
