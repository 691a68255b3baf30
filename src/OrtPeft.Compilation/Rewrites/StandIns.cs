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
    private static readonly Dictionary<string, Func<GraphBuilder, Node, Value>> Table = new(StringComparer.Ordinal)
    {
        ["LogSoftmax"] = LogSoftmax,
        ["ConstantOfShape"] = Filled,
        ["Gelu"] = Gelu,
        ["Sign"] = Sign,
    };

    /// <summary>Replaces operators in place.</summary>
    /// <param name="model">A model of opset 18 or later.</param>
    /// <param name="lacking">The operators; each has a row here.</param>
    public static void Put(Model model, IReadOnlyList<string> lacking)
    {
        var nodes = model.Graph.Nodes.Where(n => lacking.Any(op => n.Is(op))).ToArray();
        if (nodes.Length == 0)
            return;
        var g = GraphBuilder.Over(model);
        foreach (var node in nodes)
        {
            (g.Before, g.Scope) = (node, node.Name);
            Replacement.Put(g, node, [Table[node.OpType](g, node)]);
        }
    }

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
}
