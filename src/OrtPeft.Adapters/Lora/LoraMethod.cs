using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Adapters.Lora;

/// <summary>Low-rank adaptation of linear layers.</summary>
/// <seealso href="https://arxiv.org/abs/2106.09685">Hu et al., LoRA.</seealso>
public sealed class LoraMethod : IPeftMethod
{
    private static readonly string[][] DefaultTargets = [["c_attn"], ["q_proj", "v_proj"], ["query_key_value"]];

    /// <inheritdoc/>
    public MethodDescription Description { get; } = new()
    {
        Name = "lora",
        PeftType = "LORA",
        Title = "LoRA",
        Paper = new("https://arxiv.org/abs/2106.09685"),
        Trains = "A and B beside the chosen linear layers, biases on request",
        AlphaField = "lora_alpha",
    };

    /// <inheritdoc/>
    public PeftConfig ReadConfig(ConfigFields fields) => LoraConfig.FromFields(fields);

    /// <inheritdoc/>
    public Injection Inject(Model model, PeftConfig config, long seed)
    {
        ArgumentNullException.ThrowIfNull(model);
        var lora = (LoraConfig)config;
        lora.Validate();
        var builder = GraphBuilder.Over(model);
        var (resolved, selected) = TargetResolution.Resolve(model.Graph, lora, DefaultTargets);
        var parameters = new List<AdapterParameter>();
        foreach (var module in selected)
            parameters.AddRange(InjectInto(module, lora, builder, seed));
        parameters.AddRange(LoraBiases.Select(model.Graph, lora, selected));
        return new Injection(resolved, parameters);
    }

    /// <inheritdoc/>
    public void Merge(Model model, PeftConfig config, IReadOnlyDictionary<string, Tensor> weights)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(weights);
        var lora = (LoraConfig)config;
        var selected = TargetResolution.Select(model.Graph, lora, DefaultTargets);
        foreach (var module in selected)
        {
            var scale = lora.ScaleOf(module.Name) / module.Node.Attributes.Float("alpha", 1);
            LoraMerge.Fold(model.Graph, module, scale, weights[NameOfA(module)], weights[NameOfB(module)]);
        }

        foreach (var bias in LoraBiases.Select(model.Graph, lora, selected))
            model.Graph.SetInitializer(bias.Value, weights[bias.Name]);
    }

    /// <summary>
    /// Adds s·(x·Aᵀ)·Bᵀ to the product. Gemm adds it in the pass that multiplies by B.
    /// </summary>
    private static IEnumerable<AdapterParameter> InjectInto(
        LinearModule module, LoraConfig config, GraphBuilder g, long seed)
    {
        var r = config.RankOf(module.Name);
        var (nameA, nameB) = (NameOfA(module), NameOfB(module));
        var kaimingA = InitialWeights.Uniform(seed, nameA, 1 / Math.Sqrt(module.InFeatures), r, module.InFeatures);
        var a = g.Graph.AddInitializer(nameA, kaimingA);
        var b = g.Graph.AddInitializer(nameB, config.InitLoraWeights
            ? InitialWeights.Zeros(module.OutFeatures, r)
            : InitialWeights.Uniform(seed, nameB, 1 / Math.Sqrt(r), module.OutFeatures, r));

        var graft = new ModuleGraft(g, module, "/lora");
        var x = graft.Input();
        if (config.LoraDropout > 0)
            x = g.Op("Dropout", x, g.Scalar(ElementType.Float, config.LoraDropout), g.Scalar(ElementType.Bool, 1));
        var low = g.Gemm(x, a, transB: true);
        graft.ReplaceProduct(y => g.Gemm(low, b, y, transB: true, alpha: (float)config.ScaleOf(module.Name)));
        return [new AdapterParameter(nameA, a), new AdapterParameter(nameB, b)];
    }

    private static string NameOfA(LinearModule module) => $"base_model.model.{module.Name}.lora_A.weight";

    private static string NameOfB(LinearModule module) => $"base_model.model.{module.Name}.lora_B.weight";
}
