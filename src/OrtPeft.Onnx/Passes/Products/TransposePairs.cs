using OrtPeft.Onnx.Building;

namespace OrtPeft.Onnx.Passes.Products;

/// <summary>Removes transposes that undo each other, as stand between layers whose weights were on the left.</summary>
internal static class TransposePairs
{
    public static void Remove(GraphBuilder g)
    {
        foreach (var node in g.Graph.Nodes.Where(static n => n.Is("Transpose")).ToArray())
        {
            if (node.Inputs[0]!.Producer is { } first && first.Is("Transpose") && !node.Output.IsGraphOutput
                && PermOf(first) is { } one && PermOf(node) is { } other && Undoes(one, other))
                Replacement.Put(g, node, first.Inputs[0]!);
        }
    }

    private static long[]? PermOf(Node turn) =>
        turn.Attributes.Ints("perm") is { } perm ? [.. perm]
        : turn.Inputs[0]!.Shape?.Rank is { } rank ? [.. Enumerable.Range(0, rank).Reverse().Select(static i => (long)i)]
        : null;

    private static bool Undoes(long[] first, long[] second) => first.Length == second.Length
        && second.Index().All(p => p.Item >= 0 && p.Item < first.Length && first[p.Item] == p.Index);
}
