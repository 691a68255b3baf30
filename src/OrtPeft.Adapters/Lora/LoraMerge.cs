using System.Numerics.Tensors;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;

using Tensor = OrtPeft.Tensors.Tensor;

namespace OrtPeft.Adapters.Lora;

/// <summary>Folds trained factors into a layer's weight and bias, in the weight's own layout.</summary>
internal static class LoraMerge
{
    /// <summary>Gives a layer the weight that it has with the adapter.</summary>
    public static void Fold(
        Graph graph, LoraTarget target, LoraConfig config, IReadOnlyDictionary<string, Tensor> weights)
    {
        var scale = config.ScaleOf(target.PatternName);
        var b = weights[target.NameOfB];
        if (target is ExpertTarget experts)
        {
            target.SetWeight(graph, experts.Merged(weights[target.NameOfA], b, scale));
            return;
        }

        var terms = new List<(Tensor, Tensor, double)>
        {
            (weights[target.NameOfA], EnabledParts.Of(config)?.Widened(b) ?? b, scale),
        };
        if (weights.TryGetValue(HfName.StartOf(target.NameOfA), out var a0))
            terms.Add((a0, weights[HfName.StartOf(target.NameOfB)], -scale));
        var sum = Sum(target, [.. terms]);
        if (config.UseDora)
            Rescale(target, sum, Dora.Factors(target, sum, weights[target.NameOfMagnitude]));
        if (config.LoraBias)
            AddToBias(graph, target, weights[target.NameOfBBias], scale);
        target.SetWeight(graph, Tensor.Of<float>(sum, target.Dims.AsSpan()));
    }

    /// <summary>A copy of the weight.</summary>
    public static float[] Weight(LoraTarget target) => ModuleWeights.Read(target.Weight, target.Name);

    /// <summary>
    /// W + Σ (s/α)·B·A: row i of the weight gains Σₖ factor[i, k]·direction[k, :]. Stored [out, in], the factors are B
    /// and the directions A; stored [in, out], they are Aᵀ and Bᵀ.
    /// </summary>
    public static float[] Sum(LoraTarget target, params ReadOnlySpan<(Tensor A, Tensor B, double Scale)> terms)
    {
        var sum = Weight(target);
        var columns = target.IsOutByIn ? target.InFeatures : target.OutFeatures;
        foreach (var (a, b, scale) in terms)
        {
            var r = (int)a.Dims[0];
            var factors = target.IsOutByIn ? b.ToFloat32() : Transposed(a);
            var directions = target.IsOutByIn ? a.ToFloat32() : Transposed(b);
            for (var at = 0; at < factors.Length; at++)
            {
                var row = sum.AsSpan(at / r * columns, columns);
                var factor = (float)(scale * factors[at]);
                TensorPrimitives.MultiplyAdd(directions.AsSpan(at % r * columns, columns), factor, row, row);
            }
        }

        return sum;
    }

    private static void Rescale(LoraTarget target, float[] weight, double[] factors)
    {
        var (isOutByIn, features) = (target.IsOutByIn, target.IsOutByIn ? target.InFeatures : target.OutFeatures);
        for (var i = 0; i < weight.Length; i++)
            weight[i] = (float)(weight[i] * factors[isOutByIn ? i / features : i % features]);
    }

    private static void AddToBias(Graph graph, LoraTarget target, Tensor ofB, double scale)
    {
        if (target.Bias is not { } bias)
            throw new ConfigException(
                $"{target.Name} has no bias that the trained {target.NameOfBBias} could be added to; " +
                "use the adapter unmerged, or train without lora_bias.");
        var sum = bias.Initializer!.ToFloat32();
        TensorPrimitives.MultiplyAdd(ofB.ToFloat32(), (float)scale, sum, sum);
        graph.SetInitializer(bias, Tensor.Vector<float>(sum));
    }

    private static float[] Transposed(Tensor matrix)
    {
        var (rows, columns) = ((int)matrix.Dims[0], (int)matrix.Dims[1]);
        var source = matrix.ToFloat32();
        var result = new float[source.Length];
        for (var i = 0; i < rows; i++)
            for (var j = 0; j < columns; j++)
                result[(j * rows) + i] = source[(i * columns) + j];
        return result;
    }
}
