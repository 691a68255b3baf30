using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;

namespace OrtPeft.Compilation.Rewrites;

/// <summary>
/// Writes GELU's tanh form as x·σ(z), z = x·(√(8/π) + √(8/π)·0.044715·x²), where its gradient computes σ(z) anyway:
/// ONNX Runtime merges the equal nodes, and one product takes the place of a second transcendental function.
/// </summary>
internal static class GeluUnfolding
{
    public static void Run(GraphBuilder g)
    {
        foreach (var gelu in g.Graph.Nodes.Where(IsTanhForm).ToArray())
        {
            if (Sigma(gelu.Inputs[0]!) is not { } sigma)
                continue;
            g.Before = gelu;
            g.Scope = gelu.Name;
            Replacement.Put(g, gelu, g.Mul(gelu.Inputs[0]!, sigma));
        }
    }

    public static bool IsTanhForm(Node node) => node.Is("Gelu") && !node.Output.IsGraphOutput
        && node.Attributes.String("approximate", "none") == "tanh";

    /// <summary>The gradient's σ(x·(a + b·x·x)) of an x, which no other rule makes.</summary>
    public static Value? Sigma(Value x) => x.Uses
        .Select(static u => u.Node)
        .Where(n => n.Is("Mul") && n.Inputs.Any(i => i!.Producer is { } add && add.Is("Add") && IsOfSquare(add, x)))
        .SelectMany(static z => z.Output.Uses)
        .Select(static u => u.Node)
        .FirstOrDefault(static n => n.Is("Sigmoid"))?.Output;

    private static bool IsOfSquare(Node add, Value x) =>
        add.Inputs[0]!.Producer is { } scaled && scaled.Is("Mul")
        && scaled.Inputs[0]!.Producer is { } square && square.Is("Mul")
        && square.Inputs[0] == x && square.Inputs[1] == x;
}
