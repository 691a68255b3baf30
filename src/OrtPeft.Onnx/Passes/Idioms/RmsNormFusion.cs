using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes.Contrib;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Passes.Idioms;

/// <summary>
/// Recognises root-mean-square normalisation written out, γ·x/√(mean(x²) + ε) over the last axis, and puts
/// <c>SimplifiedLayerNormalization</c> in its place: one node and one gradient rule instead of six or seven nodes with
/// one each. A computation in float32 between casts from and to a smaller type is what the operator does inside.
/// </summary>
/// <seealso href="https://arxiv.org/abs/1910.07467">Zhang and Sennrich, equation 4.</seealso>
internal static class RmsNormFusion
{
    /// <summary>Runs the pass in place.</summary>
    /// <param name="model">The model, in the operator-set version of <see cref="CanonicalForm"/>.</param>
    public static void Run(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (!model.Graph.Nodes.Any(static n => n.Is("ReduceMean")))
            return;
        var g = GraphBuilder.Over(model);
        foreach (var node in model.Graph.Nodes.Where(static n => n.Is("Div") || n.Is("Mul")).ToArray())
        {
            var isGone = node.Graph is null;
            if (isGone || NormalizedBy(node) is not var (x, epsilon))
                continue;
            if (Scaled(node.Output, x) is not var (source, last, scale))
                continue;
            (g.Before, g.Scope) = (last, last.Name);
            Replacement.Put(g, last, RootMeanSquare.Normalize(g, source, scale, epsilon));
        }

        model.Graph.RemoveDeadCode();
    }

    /// <summary>x and ε where a node is the last of x / √(mean(x²) + ε).</summary>
    private static (Value X, double Epsilon)? NormalizedBy(Node node)
    {
        if (node.Is("Div"))
            return OverRoot(node.Inputs[0], Root(node.Inputs[1]));
        return OverRoot(node.Inputs[0], InverseRoot(node.Inputs[1]))
            ?? OverRoot(node.Inputs[1], InverseRoot(node.Inputs[0]));
    }

    private static (Value X, double Epsilon)? OverRoot(Value? x, Value? square)
    {
        if (x is null || Pattern.PlusEpsilon(square) is not var (mean, epsilon))
            return null;
        return Pattern.Squared(Pattern.MeanOver(mean)) == x ? (x, epsilon) : null;
    }

    /// <summary>s of √s.</summary>
    private static Value? Root(Value? value)
    {
        if (value?.Producer is { } node && node.Is("Sqrt"))
            return node.Inputs[0];
        return Pattern.AppliedTo(value, "Pow", 0.5, commutes: false);
    }

    /// <summary>s of 1/√s.</summary>
    private static Value? InverseRoot(Value? value)
    {
        if (value?.Producer is not { } node)
            return null;
        if (node.Is("Reciprocal"))
            return Root(node.Inputs[0]);
        if (node.Is("Div") && Pattern.IsNumber(node.Inputs[0], 1))
            return Root(node.Inputs[1]);
        return Pattern.AppliedTo(value, "Pow", -0.5, commutes: false);
    }

    /// <summary>
    /// The value that is normalised, the node that multiplies by γ, and γ. Where the result is cast back to the type
    /// that x was cast from, x is taken from before the cast.
    /// </summary>
    private static (Value Source, Node Last, Value Scale)? Scaled(Value normalized, Value x)
    {
        if (Pattern.OnlyReader(normalized, "Cast") is { } back && UncastTo(x, back.Output.Type) is { } source)
            (normalized, x) = (back.Output, source);
        if (Pattern.OnlyReader(normalized, "Mul") is not { } mul)
            return null;
        return Pattern.Vector(Pattern.Other(mul, normalized), x) is { } scale && scale.Type == x.Type
            ? (x, mul, scale)
            : null;
    }

    private static Value? UncastTo(Value x, ElementType type) =>
        x.Producer is { } cast && cast.Is("Cast") && cast.Inputs[0]!.Type == type ? cast.Inputs[0] : null;
}
