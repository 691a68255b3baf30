using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Objectives;

/// <summary>The sum of a batch's losses, added up in float64: a float32 sum of millions stops taking small ones.</summary>
internal static class LossSum
{
    /// <summary>Adds the sum.</summary>
    /// <param name="g">Where to.</param>
    /// <param name="losses">Any shape.</param>
    /// <returns>The sum in the losses' type, without axes.</returns>
    public static Value Of(GraphBuilder g, Value losses) =>
        g.Cast(g.ReduceSum(g.Cast(losses, ElementType.Double), [], keepDims: false), losses.Type);
}
