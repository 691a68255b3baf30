using OrtPeft.Adapters.Lora.Initialization;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Adapters.Lora;

/// <summary>
/// The norms of weight-decomposed LoRA: of each output's weights α·W + s·B·A, over the inputs.
/// </summary>
/// <seealso href="https://arxiv.org/abs/2402.09353">Liu et al., DoRA, equation 5 and section 4.3.</seealso>
internal sealed class Dora(LoraTarget target, double scale)
{
    /// <summary>Below this part of ‖W‖² the float32 sum of the three terms is rounding alone.</summary>
    private const double Floor = 1.0 / (1 << 24);

    /// <summary>The magnitudes that leave the layer as it is: the norms before the first step, [out].</summary>
    public Tensor FirstMagnitude(LoraFactors factors)
    {
        var isWhole = factors.AreTakenFromBase; // W − s·B₀·A₀ + s·B·A = W
        var weight = isWhole ? LoraMerge.Weight(target) : LoraMerge.Sum(target, (factors.A, factors.B, scale));
        return Tensor.Vector<float>([.. Norms(target, weight).Select(static n => (float)n)]);
    }

    /// <summary>
    /// The norms in the graph, [out], without a temporary of W's size:
    /// ‖W + sBA‖² = ‖W‖² + Σᵣ B ∘ (2s·W·Aᵀ + s²·B·(A·Aᵀ)).
    /// </summary>
    public Value Norm(GraphBuilder g, Value a, Value b, (Value A, Value B)? start)
    {
        if (start is var (a0, b0))
            (a, b) = (g.Concat(0, a, a0), g.Concat(1, b, -g.Term(b0)));
        var ofBase = Norms(target, LoraMerge.Weight(target));
        var squares = g.Constant(Tensor.Vector<float>([.. ofBase.Select(static n => (float)(n * n))]), "norm2");
        var least = g.Constant(
            Tensor.Vector<float>([.. ofBase.Select(static n => (float)Math.Max(n * n * Floor, 1e-30))]), "floor");
        var cross = g.Gemm(
            target.Weight, a, transA: !target.IsOutByIn, transB: true, alpha: (float)(2 * scale));
        var both = g.Gemm(b, g.Gemm(a, a, transB: true), cross, alpha: (float)(scale * scale));
        var change = Sum(g.Term(b) * both, [1], keepDims: false);
        return Sqrt(Max(g.Term(squares) + change, least));
    }

    /// <summary>m / ‖W + sBA‖ for a sum W + s·B·A that stands in the weight's layout.</summary>
    public static double[] Factors(LoraTarget target, float[] sum, Tensor magnitude)
    {
        var m = magnitude.ToFloat32();
        return [.. Norms(target, sum).Select((n, o) => m[o] / Math.Max(n, 1e-15))];
    }

    /// <summary>The norm of each output's weights.</summary>
    private static double[] Norms(LoraTarget target, float[] weight)
    {
        var (isOutByIn, features) = (target.IsOutByIn, target.IsOutByIn ? target.InFeatures : target.OutFeatures);
        var squares = new double[target.OutFeatures];
        for (var i = 0; i < weight.Length; i++)
            squares[isOutByIn ? i / features : i % features] += (double)weight[i] * weight[i];
        return [.. squares.Select(Math.Sqrt)];
    }
}
