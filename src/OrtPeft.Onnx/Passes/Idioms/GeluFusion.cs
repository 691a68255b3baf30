using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;

namespace OrtPeft.Onnx.Passes.Idioms;

/// <summary>
/// Recognises GELU written out, ½·x·(1 + erf(x/√2)) or ½·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))), and puts the standard
/// operator of opset 20 in its place: one node and one stored activation instead of five to eight.
/// </summary>
/// <seealso href="https://onnx.ai/onnx/operators/onnx__Gelu.html"/>
public static class GeluFusion
{
    /// <summary>Runs the pass in place.</summary>
    /// <param name="model">The model, in the operator-set version of <see cref="CanonicalForm"/>.</param>
    public static void Run(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var g = new GraphBuilder(model.Graph, new ShapeInference(model.Opset));
        var fused = false;
        foreach (var node in model.Graph.Nodes.ToArray())
        {
            if (InputOf(node) is not var (x, approximate) || ResultOf(node.Output, x) is not { } last)
                continue;
            (g.Before, g.Scope) = (last, last.Name);
            Replacement.Put(g, last, g.Op("Gelu", [x], NodeAttribute.Of("approximate", approximate)));
            fused = true;
        }

        if (fused)
            model.Graph.RemoveDeadCode();
    }

    private static (Value X, string Approximate)? InputOf(Node node)
    {
        if (node.Is("Erf"))
        {
            var x = Pattern.AppliedTo(node.Inputs[0], "Div", Math.Sqrt(2), commutes: false)
                ?? Pattern.AppliedTo(node.Inputs[0], "Mul", Math.Sqrt(0.5));
            return x is null ? null : (x, "none");
        }

        if (!node.Is("Tanh"))
            return null;
        if (Pattern.AppliedTo(node.Inputs[0], "Mul", Math.Sqrt(2 / Math.PI))?.Producer is not { } sum || !sum.Is("Add"))
            return null;
        return IsCube(sum.Inputs[1], sum.Inputs[0]!) ? (sum.Inputs[0]!, "tanh")
            : IsCube(sum.Inputs[0], sum.Inputs[1]!) ? (sum.Inputs[1]!, "tanh")
            : null;
    }

    /// <summary>0.044715·x³.</summary>
    private static bool IsCube(Value? value, Value x) =>
        Pattern.AppliedTo(Pattern.AppliedTo(value, "Mul", 0.044715), "Pow", 3, commutes: false) == x;

    /// <summary>The last node of ½·x·(1 + y), in whatever order the three are multiplied.</summary>
    private static Node? ResultOf(Value y, Value x)
    {
        if (Pattern.OnlyReader(y, "Add") is not { } plusOne || !Pattern.IsNumber(Pattern.Other(plusOne, y), 1))
            return null;
        if (Pattern.OnlyReader(plusOne.Output, "Mul") is not { } product)
            return null;
        var factor = Pattern.Other(product, plusOne.Output);
        if (Pattern.AppliedTo(factor, "Mul", 0.5) == x)
            return product;
        if (Pattern.OnlyReader(product.Output, "Mul") is not { } second)
            return null;
        var last = Pattern.Other(second, product.Output);
        return factor == x && Pattern.IsNumber(last, 0.5) || last == x && Pattern.IsNumber(factor, 0.5) ? second : null;
    }
}
