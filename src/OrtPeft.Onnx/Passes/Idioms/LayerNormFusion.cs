using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;

namespace OrtPeft.Onnx.Passes.Idioms;

/// <summary>
/// Recognises layer normalisation written out, γ·(x − μ)/√(σ² + ε) + β over the last axis, and puts the standard
/// operator of opset 17 in its place: one node instead of nine.
/// </summary>
/// <seealso href="https://onnx.ai/onnx/operators/onnx__LayerNormalization.html"/>
internal static class LayerNormFusion
{
    /// <summary>Runs the pass in place.</summary>
    /// <param name="model">The model, in the operator-set version of <see cref="CanonicalForm"/>.</param>
    public static void Run(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (!model.Graph.Nodes.Any(static n => n.Is("Sqrt")))
            return;
        var shapes = new ShapeInference(model.Opset);
        shapes.Infer(model.Graph);
        var g = new GraphBuilder(model.Graph, shapes);
        foreach (var node in model.Graph.Nodes.Where(static n => n.Is("Div")).ToArray())
        {
            if (NormalizedBy(node) is not var (x, epsilon) || Scaled(node, x) is not var (last, scale, bias))
                continue;
            (g.Before, g.Scope) = (last, last.Name);
            Value[] inputs = bias is null ? [x, scale] : [x, scale, bias];
            var result = g.Op(
                "LayerNormalization",
                inputs,
                NodeAttribute.Of("axis", -1L),
                NodeAttribute.Of("epsilon", (float)epsilon));
            Replacement.Put(g, last, result);
        }

        model.Graph.RemoveDeadCode();
    }

    /// <summary>x and ε of (x − μ) / √(mean((x − μ)²) + ε).</summary>
    private static (Value X, double Epsilon)? NormalizedBy(Node div)
    {
        if (Centred(div.Inputs[0]) is not { } x || div.Inputs[1]?.Producer is not { } root || !root.Is("Sqrt"))
            return null;
        if (Pattern.PlusEpsilon(root.Inputs[0]) is not var (variance, epsilon))
            return null;
        return Centred(Pattern.Squared(Pattern.MeanOver(variance))) == x ? (x, epsilon) : null;
    }

    /// <summary>x of x − mean(x).</summary>
    private static Value? Centred(Value? value)
    {
        if (value?.Producer is not { } sub || !sub.Is("Sub"))
            return null;
        return sub.Inputs[0] is { } x && Pattern.MeanOver(sub.Inputs[1]) == x ? x : null;
    }

    /// <summary>γ and, if there is one, β that follow, and the node that makes the result.</summary>
    private static (Node Last, Value Scale, Value? Bias)? Scaled(Node div, Value x)
    {
        if (Pattern.OnlyReader(div.Output, "Mul") is not { } mul)
            return null;
        if (Pattern.Vector(Pattern.Other(mul, div.Output), x) is not { } scale)
            return null;
        if (Pattern.OnlyReader(mul.Output, "Add") is not { } add)
            return (mul, scale, null);
        return Pattern.Vector(Pattern.Other(add, mul.Output), x) is { } bias ? (add, scale, bias) : (mul, scale, null);
    }
}
