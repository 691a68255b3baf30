using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Compilation.Objectives;

/// <summary>The sum of a batch's losses, added up in float64: a float32 sum of millions stops taking small ones.</summary>
internal static class LossSum
{
    /// <summary>Adds the sum.</summary>
    /// <param name="losses">Any shape.</param>
    /// <returns>The sum in the losses' type, without axes.</returns>
    public static Term Of(Term losses) => Cast(Sum(Cast(losses, ElementType.Double)), losses.Type);
}
