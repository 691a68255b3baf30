using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;

namespace OrtPeft.Onnx.Passes.Idioms;

/// <summary>
/// Recognises GELU written out, ½·x·(1 + erf(x/√2)) or ½·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))), in whatever order and
/// with whatever literals, and puts the standard operator of opset 20 in its place: one node and one stored activation
/// instead of five to eight.
/// </summary>
/// <seealso href="https://onnx.ai/onnx/operators/onnx__Gelu.html"/>
internal static class GeluFusion
{
    private static readonly double SqrtTwoOverPi = Math.Sqrt(2 / Math.PI);

    /// <summary>Runs the pass in place.</summary>
    /// <param name="model">The model, in the operator-set version of <see cref="CanonicalForm"/>.</param>
    public static void Run(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var g = new GraphBuilder(model.Graph, new ShapeInference(model.Opset));
        var fused = false;
        foreach (var node in model.Graph.Nodes.Where(static n => n.Is("Erf") || n.Is("Tanh")).ToArray())
        {
            if (ResultOf(node) is not var (x, last))
                continue;
            (g.Before, g.Scope) = (last, last.Name);
            var approximate = NodeAttribute.Of("approximate", node.OpType == "Erf" ? "none" : "tanh");
            Replacement.Put(g, last, g.Op("Gelu", [x], approximate));
            fused = true;
        }

        if (fused)
            model.Graph.RemoveDeadCode();
    }

    /// <summary>
    /// x and the last node of ½·x·(1 + y). Behind y come sums and products with numbers, a·y + b, and one product with
    /// x, or with a multiple of x, in any order.
    /// </summary>
    private static (Value X, Node Last)? ResultOf(Node y)
    {
        var (a, b, value) = (1.0, 0.0, y.Output);
        Value? x = null;
        while (Next(value) is { } node)
        {
            var other = Pattern.Other(node, value);
            var number = Pattern.Number(other);
            switch (node.OpType)
            {
                case "Add" when number is { } summand && x is null:
                    b += summand;
                    break;
                case "Mul" when number is { } factor:
                    (a, b) = (a * factor, b * factor);
                    break;
                case "Div" when number is { } divisor && node.Inputs[0] == value:
                    (a, b) = (a / divisor, b / divisor);
                    break;
                case "Mul" when x is null && other is not null && ArgumentOf(y, other) is var (found, multiple):
                    (a, b, x) = (a * multiple, b * multiple, found);
                    break;
                default:
                    return null;
            }

            if (x is not null && Pattern.IsNear(a, 0.5) && Pattern.IsNear(b, 0.5))
                return (x, node);
            value = node.Output;
        }

        return null;
    }

    private static Node? Next(Value value) =>
        Pattern.OnlyReader(value, "Mul") ?? Pattern.OnlyReader(value, "Add") ?? Pattern.OnlyReader(value, "Div");

    /// <summary>x such that y is of x, where a factor is x or a multiple of it.</summary>
    private static (Value X, double Multiple)? ArgumentOf(Node y, Value factor)
    {
        if (IsOf(y, factor))
            return (factor, 1);
        if (factor.Producer is not { Inputs.Count: 2 } node || !(node.Is("Mul") || node.Is("Div")))
            return null;
        var isFirst = Pattern.Number(node.Inputs[1]) is not null;
        if (Pattern.Number(node.Inputs[isFirst ? 1 : 0]) is not { } number || !(isFirst || node.Is("Mul")))
            return null;
        var x = node.Inputs[isFirst ? 0 : 1]!;
        return IsOf(y, x) ? (x, node.Is("Div") ? 1 / number : number) : null;
    }

    private static bool IsOf(Node y, Value x) => y.OpType == "Erf"
        ? Polynomial.Is(y.Inputs[0], x, 0, Math.Sqrt(0.5))
        : Polynomial.Is(y.Inputs[0], x, 0, SqrtTwoOverPi, 0, SqrtTwoOverPi * 0.044715);
}
