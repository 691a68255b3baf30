using System.Numerics.Tensors;
using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.Lycoris;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using static OrtPeft.Onnx.Building.Formula;

using Tensor = OrtPeft.Tensors.Tensor;

namespace OrtPeft.Adapters.Loha;

/// <summary>LoHa: low-rank Hadamard products beside linear layers of either weight layout.</summary>
/// <seealso href="https://arxiv.org/abs/2108.06098">Hyeon-Woo et al., FedPara.</seealso>
internal sealed class LohaMethod : IPeftMethod
{
    /// <inheritdoc/>
    public MethodDescription Description { get; } = new()
    {
        Name = "loha",
        PeftType = "LOHA",
        Title = "LoHa",
        Paper = new("https://arxiv.org/abs/2108.06098"),
        Trains = "four factors beside each chosen linear layer: two low-rank products, multiplied elementwise",
        Options = LycorisConfig.Options,
    };

    /// <inheritdoc/>
    public PeftConfig ReadConfig(ConfigFields fields) => LohaConfig.FromFields(fields);

    /// <inheritdoc/>
    public Injection Inject(Model model, PeftConfig config, long seed)
    {
        ArgumentNullException.ThrowIfNull(model);
        var loha = (LohaConfig)config;
        loha.Validate();
        var builder = GraphBuilder.Over(model);
        var (resolved, selected) = TargetResolution.Resolve(model.Graph, loha, DefaultTargets.OfLora);
        return new Injection(resolved, [.. selected.SelectMany(m => InjectInto(m, loha, builder, seed))])
        {
            LowRank = weights => selected.Select(m => Change(m, weights, loha.ScaleOf(m.Name))),
            Merge = (copy, weights) =>
            {
                foreach (var module in Counterparts.Of(selected, copy))
                    ModuleWeights.Add(copy, module, Delta(module, weights), loha.ScaleOf(module.Name));
            },
        };
    }

    private static IEnumerable<AdapterParameter> InjectInto(
        LinearModule module, LohaConfig config, GraphBuilder g, long seed)
    {
        var factors = LohaFactors.AddTo(g.Graph, module, config, seed);
        var scale = (float)config.ScaleOf(module.Name);
        var graft = new ModuleGraft(g, module, "/loha");
        var (x, right) = IsCheaperFactored(module, config) ? Factored(g, graft, factors) : Made(g, graft, factors);
        graft.ReplaceProduct(y => DeltaDropout.IsIn(config)
            ? g.Term(y) + Dropped(g.Gemm(x, right, transB: true, alpha: scale))
            : g.Gemm(x, right, y, transB: true, alpha: scale));
        return factors.All;

        Term Dropped(Value delta) => DeltaDropout.Apply(g.Term(delta), module.OutFeatures, config, rescales: true);
    }

    /// <summary>
    /// Products of r² directions cost r²·(in + out) a row, the made matrix in·out; with r = 8 the former is less from
    /// 128 features on.
    /// </summary>
    private static bool IsCheaperFactored(LinearModule module, LohaConfig config)
    {
        var directions = Math.Pow(config.RankOf(module.Name), 2);
        return directions * (module.InFeatures + module.OutFeatures) < (double)module.InFeatures * module.OutFeatures;
    }

    /// <summary>
    /// ΔW[i, j] = Σₖₗ (w1_a[i, k]·w2_a[i, l])·(w1_b[k, j]·w2_b[l, j]): a product of [out, r²] and [r², in], with which
    /// ΔW itself is never made.
    /// </summary>
    private static (Value Left, Value Right) Factored(GraphBuilder g, ModuleGraft graft, LohaFactors factors)
    {
        var x = graft.Input();
        var (dimsA, dimsB) = (factors.W1A.Value.Initializer!.Dims, factors.W1B.Value.Initializer!.Dims);
        var directions = dimsB[0] * factors.W2B.Value.Initializer!.Dims[0];
        var outs = Unsqueeze(g.Term(factors.W1A.Value), 2) * Unsqueeze(g.Term(factors.W2A.Value), 1);
        var ins = Unsqueeze(g.Term(factors.W1B.Value), 1) * Unsqueeze(g.Term(factors.W2B.Value), 0);
        var low = g.Gemm(x, Reshape(ins, directions, dimsB[1]), transB: true);
        return (low, Reshape(outs, dimsA[0], directions));
    }

    private static (Value Left, Value Right) Made(GraphBuilder g, ModuleGraft graft, LohaFactors factors)
    {
        var x = graft.Input();
        var (w1, w2) = (g.Term(factors.W1A.Value), g.Term(factors.W2A.Value));
        return (x, MatMul(w1, factors.W1B.Value) * MatMul(w2, factors.W2B.Value));
    }

    /// <summary>The factors of <see cref="Factored"/>: products of a row and a column of each pair.</summary>
    private static LowRankChange Change(LinearModule module, IReadOnlyDictionary<string, Tensor> weights, double scale)
    {
        var factors = LohaFactors.Names.Select(n => weights[LohaFactors.NameOf(module, n)]).ToArray();
        var (first, second) = ((int)factors[1].Dims[0], (int)factors[3].Dims[0]);
        var (rows, columns) = ((int)module.OutFeatures, (int)module.InFeatures);
        var (w1a, w1b, w2a, w2b) = (
            factors[0].ToFloat32(), factors[1].ToFloat32(), factors[2].ToFloat32(), factors[3].ToFloat32());
        var (down, up) = (new float[checked(first * second * columns)], new float[checked(rows * first * second)]);
        for (var k = 0; k < first; k++)
        {
            for (var l = 0; l < second; l++)
            {
                var direction = (k * second) + l;
                TensorPrimitives.Multiply(
                    w1b.AsSpan(k * columns, columns), w2b.AsSpan(l * columns, columns), down.AsSpan(direction * columns, columns));
                for (var i = 0; i < rows; i++)
                    up[(i * first * second) + direction] = w1a[(i * first) + k] * w2a[(i * second) + l];
            }
        }

        return LowRankChange.Of(module, down, up, scale);
    }

    private static float[] Delta(LinearModule module, IReadOnlyDictionary<string, Tensor> weights)
    {
        var factors = LohaFactors.Names.Select(n => weights[LohaFactors.NameOf(module, n)].ToFloat32()).ToArray();
        var (rows, columns) = ((int)module.OutFeatures, (int)module.InFeatures);
        var (delta, second) = (new float[checked(rows * columns)], new float[columns]);
        for (var i = 0; i < rows; i++)
        {
            var row = delta.AsSpan(i * columns, columns);
            Row(factors[0], factors[1], i, row);
            Row(factors[2], factors[3], i, second);
            TensorPrimitives.Multiply(row, second, row);
        }

        return delta;
    }

    /// <summary>Row i of a·b.</summary>
    private static void Row(float[] a, float[] b, int i, Span<float> row)
    {
        var r = b.Length / row.Length;
        row.Clear();
        for (var k = 0; k < r; k++)
            TensorPrimitives.MultiplyAdd(b.AsSpan(k * row.Length, row.Length), a[(i * r) + k], row, row);
    }
}
