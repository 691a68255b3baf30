using OrtPeft.Onnx;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Adapters.Merging;

/// <summary>A place where a node of the canonical base reads a constant, and what the merged one reads there.</summary>
/// <param name="Node">The node of the base.</param>
/// <param name="Index">Which of its inputs.</param>
/// <param name="Old">The constant, or what a quantised one is made to.</param>
/// <param name="New">Its new content; null where it has not changed.</param>
internal sealed record ConstantUse(Node Node, int Index, Value Old, Tensor? New)
{
    /// <summary>Compares a base with what merging made of a copy.</summary>
    /// <returns>Every place; null where more than constants differs.</returns>
    public static IReadOnlyList<ConstantUse>? All(Graph canonical, Graph merged)
    {
        var found = new List<ConstantUse>();
        var gone = new List<Node>();
        foreach (var node in canonical.Nodes)
        {
            if (Counterpart(node, merged) is not { } other)
                gone.Add(node);
            else if (other.OpType != node.OpType || other.Inputs.Count != node.Inputs.Count || !Add(found, node, other))
                return null;
        }

        var changed = found.Where(static u => u.New is not null).Select(static u => (u.Node, u.Index)).ToHashSet();
        var areReplaced = gone.SelectMany(static n => n.Outputs).SelectMany(static o => o.Uses)
            .All(u => gone.Contains(u.Node) || changed.Contains((u.Node, u.Index)));
        return areReplaced && merged.Nodes.Count + gone.Count == canonical.Nodes.Count ? found : null;
    }

    /// <summary>The fate of some of the constant's columns.</summary>
    public ConstantUse In(SourcePlaces.Piece piece) => New is not null && piece.Columns is { } columns
        ? this with { New = new ColumnsTensorData(New, piece.First, columns).ToTensor() }
        : this;

    private static Node? Counterpart(Node node, Graph merged) =>
        node.Outputs.Where(static o => o.Name.Length > 0).Select(o => merged.Find(o.Name)?.Producer).FirstOrDefault();

    private static bool Add(List<ConstantUse> found, Node node, Node other)
    {
        for (var i = 0; i < node.Inputs.Count; i++)
        {
            var (old, now) = (node.Inputs[i], other.Inputs[i]);
            if (old is null || now is null)
            {
                if (old is not null || now is not null)
                    return false;
                continue;
            }

            var isConstant = old.Initializer is not null || QuantizedWeight.Find(old) is not null;
            if (now.Initializer is null ? old.Name != now.Name || old.Initializer is not null : !isConstant)
                return false;
            if (isConstant)
                found.Add(new ConstantUse(node, i, old, IsSame(old, now) ? null : now.Initializer));
        }

        return true;
    }

    private static bool IsSame(Value old, Value now) => now.Initializer is not { } content
        || old.Initializer == content || old.Initializer?.Data == content.Data;
}
