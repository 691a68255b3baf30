using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Tensors;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Compilation.Rewrites;

/// <summary>Other operators in place of those that an execution provider has no kernel for: what they read would go to the
/// CPU, and what they make back.</summary>
internal static class StandIns
{
    private const string LongSum = "ReduceSum(double)";

    private static readonly Dictionary<string, Func<GraphBuilder, Node, Value?>> Table = new(StringComparer.Ordinal)
    {
        ["LogSoftmax"] = LogSoftmax,
        ["ConstantOfShape"] = Filled,
        ["Gelu"] = Gelu,
        ["Sign"] = Sign,
        [LongSum] = SumInFloat,
    };

    /// <summary>The operators that have a stand-in.</summary>
    public static IReadOnlyCollection<string> Operators => Table.Keys;

    /// <summary>Replaces operators in place.</summary>
    /// <param name="model">A model of opset 18 or later.</param>
    /// <param name="lacking">The operators; each has a row here. <c>ReduceSum(double)</c> stands for sums of float32 numbers that
    /// are cast to float64 to be added up; what a base computes in float64 stays.</param>
    public static void Put(Model model, IReadOnlyList<string> lacking)
    {
        var nodes = model.Graph.Nodes.Select(n => (Node: n, Row: lacking.FirstOrDefault(op => IsOf(op, n)))).ToArray();
        if (nodes.All(static n => n.Row is null))
            return;
        var g = GraphBuilder.Over(model);
        foreach (var (node, row) in nodes.Where(static n => n.Row is not null))
        {
            (g.Before, g.Scope) = (node, node.Name);
            Replacement.Put(g, node, [Table[row!](g, node)]);
        }

        model.Graph.RemoveDeadCode();
    }

    private static bool IsOf(string row, Node node) => row == LongSum ? Summed(node) is not null : node.Is(row);

    /// <summary>(x − max x) − log Σ exp(x − max x).</summary>
    private static Value LogSoftmax(GraphBuilder g, Node node)
    {
        var axis = node.Attributes.Int("axis", -1);
        var x = g.Term(node.Inputs[0]!);
        var shifted = x - g.Op("ReduceMax", x, g.Int64(axis));
        return shifted - Log(Sum(Exp(shifted), [axis]));
    }

    private static Value Filled(GraphBuilder g, Node node)
    {
        var value = node.Attributes.Tensor("value") ?? Tensor.Scalar(0f);
        var filler = new Tensor(value.Type, [], value.Data);
        return g.Expand(g.Constant(filler, "filler"), node.Inputs[0]!);
    }

    /// <summary>x·Φ(x), or its approximation by tanh.</summary>
    private static Value Gelu(GraphBuilder g, Node node)
    {
        var x = g.Term(node.Inputs[0]!);
        var inner = node.Attributes.String("approximate", "none") == "tanh"
            ? Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x)))
            : Erf(Math.Sqrt(0.5) * x);
        return 0.5 * x * (1 + inner);
    }

    private static Value Sign(GraphBuilder g, Node node)
    {
        var x = g.Term(node.Inputs[0]!);
        var zero = g.ScalarLike(x, 0);
        return Cast(g.Term(g.Op("Greater", x, zero)), x.Type) - Cast(g.Term(g.Op("Less", x, zero)), x.Type);
    }

    /// <summary>The float32 numbers that a node casts to float64 and adds up; null for other nodes.</summary>
    private static Value? Summed(Node node) =>
        node.Is("ReduceSum") && node.Inputs[0] is { Type: ElementType.Double, Producer: { OpType: "Cast" } cast }
            && cast.Inputs[0] is { Type: ElementType.Float } numbers
            ? numbers
            : null;

    /// <summary>The sum in float32: a device adds in many short sums at once, which lose little. Readers that cast it back read it
    /// as it is, so that no float64 is left.</summary>
    private static Value? SumInFloat(GraphBuilder g, Node node)
    {
        var sum = g.Op("ReduceSum", [Summed(node)!, .. node.Inputs.Skip(1)], [.. node.Attributes]);
        var casts = node.Outputs[0].Uses.Select(static u => u.Node)
            .Where(static n => n.Is("Cast") && n.Outputs[0].Type == ElementType.Float).ToArray();
        foreach (var back in casts)
            Replacement.Put(g, back, sum);
        return node.Outputs[0].Uses.Count == 0 && !node.Outputs[0].IsGraphOutput ? null : Cast(g.Term(sum), ElementType.Double);
    }
}
