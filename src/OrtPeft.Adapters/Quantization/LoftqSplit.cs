using OrtPeft.Adapters.LinearAlgebra;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Lora.Initialization;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Quantization;

/// <summary>
/// One layer's W as Q + s·B·A: Q quantises W − s·B·A, then s·B·A is the best approximation of rank r of W − Q.
/// </summary>
internal sealed class LoftqSplit(LinearTarget target, LoraConfig config)
{
    /// <summary>Weights whose shorter side is longer have their directions approximated.</summary>
    private const int LongestExact = 512;

    private const int Oversampling = 8;
    private const int Applications = 16;

    public LinearTarget Target => target;

    /// <summary>A and B; null before <see cref="Run"/>.</summary>
    public LoraFactors? Factors { get; private set; }

    /// <summary>Puts Q into the graph and keeps A and B.</summary>
    public QuantizedLayer Run(GraphBuilder g, BlockFormat format, int iterations)
    {
        var start = new LoraStartingPoint(target, config, seed: 0);
        start.RequireRankWithinWeight();
        var (stored, name) = (target.Weight.Initializer!, target.Weight.Name);
        var weight = stored.ToFloat32();
        var (content, iteration) = (stored, 0);
        QuantizedTensor quantized;
        float[] q;
        do
        {
            quantized = BlockQuantizer.Quantize(content, target.IsOutByIn ? 1 : 0, format);
            q = quantized.ToFloat32().ToFloat32();
            Factors = Pissa.Split(start, Largest(start, Difference(weight, q)));
            content = Without(Factors, start.Scale);
        }
        while (++iteration < iterations);

        // With R = W − s·B·A, what base and adapter miss together is R − Q.
        var missed = Norm(Difference(content.ToFloat32(), q));
        var lost = Norm(Difference(weight, q));
        var norm = Norm(weight);
        QuantizedWeight.Replace(g, target.Weight, quantized);
        var bytes = QuantizedWeight.Find(g.Graph.Find(name)!)!.ByteCount;
        return new QuantizedLayer(target.Name, norm > 0 ? lost / norm : 0, stored.Data.Length, bytes)
        {
            RelativeErrorWithAdapter = norm > 0 ? missed / norm : 0,
        };
    }

    /// <summary>W − s·B·A in the weight's layout.</summary>
    private Tensor Without(LoraFactors factors, double scale) =>
        Tensor.Of<float>(LoraMerge.Sum(target, (factors.A, factors.B, -scale)), target.Dims.AsSpan());

    /// <summary>
    /// The loss of quantisation has singular values that hardly fall, so the approximated directions differ from the
    /// exact ones, but hold nearly as much of it.
    /// </summary>
    private static SingularDirections Largest(LoraStartingPoint start, float[] residual)
    {
        var matrix = start.Oriented(residual);
        var shorter = Math.Min(matrix.Rows, matrix.Columns);
        if (shorter <= LongestExact)
            return SingularDirections.Exact(matrix, start.Rank);
        var width = Math.Min(start.Rank + Oversampling, shorter);
        return SingularDirections.Iterated(matrix, start.Rank, start.FixedNormal(width, matrix.Columns), Applications);
    }

    private static float[] Difference(float[] a, float[] b) => [.. a.Zip(b, static (x, y) => x - y)];

    private static double Norm(float[] numbers) => Math.Sqrt(numbers.Sum(static n => (double)n * n));
}
