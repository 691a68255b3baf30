namespace OrtPeft.Onnx;

/// <summary>Standard operators that make each element of their output from their operands' elements at its place, after
/// broadcasting.</summary>
public static class ElementwiseOps
{
    private static readonly HashSet<string> Names =
    [
        "Add", "Sub", "Mul", "Div", "Pow", "Min", "Max", "Sum", "Mean", "Where", "Clip", "PRelu", "Identity", "Cast",
        "Neg", "Abs", "Sqrt", "Reciprocal", "Exp", "Log", "Erf", "Tanh", "Relu", "LeakyRelu", "Elu", "Selu", "Celu",
        "Gelu", "Mish", "Sigmoid", "HardSigmoid", "HardSwish", "Softplus", "Softsign", "ThresholdedRelu",
    ];

    /// <summary>Whether a node's operator is one of them.</summary>
    /// <param name="node">Any node.</param>
    /// <returns>Whether it is.</returns>
    public static bool Include(Node node)
    {
        ArgumentNullException.ThrowIfNull(node);
        return node.Domain.Length == 0 && Names.Contains(node.OpType);
    }
}
