using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.Lycoris;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Lokr;

/// <summary>LoKr: Kronecker products beside linear layers of either weight layout.</summary>
/// <seealso href="https://arxiv.org/abs/2309.14859">Yeh et al., LyCORIS.</seealso>
internal sealed class LokrMethod : IPeftMethod
{
    /// <inheritdoc/>
    public MethodDescription Description { get; } = new()
    {
        Name = "lokr",
        PeftType = "LOKR",
        Title = "LoKr",
        Paper = new("https://arxiv.org/abs/2309.14859"),
        Trains = "the factors of a Kronecker product beside each chosen linear layer",
        Options = LycorisConfig.Options,
    };

    /// <inheritdoc/>
    public PeftConfig ReadConfig(ConfigFields fields) => LokrConfig.FromFields(fields);

    /// <inheritdoc/>
    public Injection Inject(Model model, PeftConfig config, long seed)
    {
        ArgumentNullException.ThrowIfNull(model);
        var lokr = (LokrConfig)config;
        lokr.Validate();
        var builder = GraphBuilder.Over(model);
        var (resolved, selected) = TargetResolution.Resolve(model.Graph, lokr, DefaultTargets.OfLora);
        return new Injection(resolved, [.. selected.SelectMany(m => InjectInto(m, lokr, builder, seed))])
        {
            LowRank = weights => selected.Select(m => Change(m, lokr, weights)),
            Merge = (copy, weights) =>
            {
                foreach (var module in Counterparts.Of(selected, copy))
                    ModuleWeights.Add(copy, module, Delta(module, lokr, weights), lokr.ScaleOf(module.Name));
            },
        };
    }

    private static float[] Delta(
        LinearModule module, LokrConfig config, IReadOnlyDictionary<string, Tensor> weights) =>
        LokrDelta.Of(LokrShape.Of(module, config), factor => weights[NameOf(module, factor)].ToFloat32());

    private static LowRankChange Change(
        LinearModule module, LokrConfig config, IReadOnlyDictionary<string, Tensor> weights)
    {
        var (left, right) = LokrDelta.FactorsOf(
            LokrShape.Of(module, config), factor => weights[NameOf(module, factor)].ToFloat32());
        return LowRankChange.Of(module, right, left, config.ScaleOf(module.Name));
    }

    private static AdapterParameter[] InjectInto(
        LinearModule module, LokrConfig config, GraphBuilder g, long seed)
    {
        var shape = LokrShape.Of(module, config);
        var parameters = new Dictionary<string, AdapterParameter>(StringComparer.Ordinal);
        foreach (var (factor, rows, columns) in shape.Factors)
            parameters.Add(factor, Fresh(g.Graph, NameOf(module, factor), rows, columns, StartsAtZero(factor), seed));
        var graft = new ModuleGraft(g, module, "/lokr");
        var x = graft.Input();
        graft.ReplaceProduct(y =>
        {
            var delta = Product(g, x, shape, factor => parameters[factor].Value, (float)config.ScaleOf(module.Name));
            var dropped = DeltaDropout.Apply(g.Term(delta), module.OutFeatures, config, config.RankDropoutScale);
            return g.Term(y) + dropped;
        });
        return [.. parameters.Values];

        bool StartsAtZero(string factor) => config.InitWeights && factor == (config.InitAsLycoris
            ? shape.SplitsSecond ? "lokr_w2_b" : "lokr_w2"
            : shape.SplitsFirst ? "lokr_w1_a" : "lokr_w1");
    }

    /// <summary>
    /// s·x·(w1 ⊗ w2)ᵀ by the rule (w1 ⊗ w2)·vec(X) = vec(w1·X·w2ᵀ), X [c, d] being a row of x: b·c·(d + a) products a
    /// row, where the made matrix has a·b·c·d. It is less as soon as no factor is a single row, so ΔW is never made.
    /// </summary>
    private static Value Product(GraphBuilder g, Value x, LokrShape s, Func<string, Value> factor, float scale)
    {
        var second = Times(g.Reshape(x, -1, s.D), "lokr_w2", s.SplitsSecond, 1);
        var turned = g.Transpose(g.Reshape(second, -1, s.C, s.B), 0, 2, 1);
        var first = Times(g.Reshape(turned, -1, s.C), "lokr_w1", s.SplitsFirst, scale);
        return g.Reshape(g.Transpose(g.Reshape(first, -1, s.B, s.A), 0, 2, 1), -1, s.A * s.B);

        Value Times(Value rows, string name, bool splits, float alpha) => splits
            ? g.Gemm(g.Gemm(rows, factor($"{name}_b"), transB: true), factor($"{name}_a"), transB: true, alpha: alpha)
            : g.Gemm(rows, factor(name), transB: true, alpha: alpha);
    }

    private static AdapterParameter Fresh(
        Graph graph, string name, long rows, long columns, bool isZero, long seed) =>
        new(name, graph.AddInitializer(graph.FreshName(name), isZero
            ? InitialWeights.Zeros(rows, columns)
            : InitialWeights.Kaiming(seed, name, rows, columns)));

    private static string NameOf(LinearModule module, string factor) => HfName.Of(module.Name, factor);
}
