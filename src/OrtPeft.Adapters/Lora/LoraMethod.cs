using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Numerics;
using OrtPeft.Onnx.Shapes;

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
    };

    /// <inheritdoc/>
    public PeftConfig ReadConfig(ConfigFields fields) => LoraConfig.FromFields(fields);

    /// <inheritdoc/>
    public Injection Inject(Model model, PeftConfig config, long seed)
    {
        ArgumentNullException.ThrowIfNull(model);
        var lora = (LoraConfig)config;
        lora.Validate();
        var shapes = new ShapeInference(model.Opset);
        shapes.Infer(model.Graph);
        var builder = new GraphBuilder(model.Graph, shapes);
        var selected = Select(model.Graph, lora);
        var parameters = new List<AdapterParameter>();
        foreach (var module in selected)
            parameters.AddRange(InjectInto(module, lora, builder, seed));
        parameters.AddRange(LoraBiases.Select(model.Graph, lora, selected));
        return new Injection(Resolve(lora, selected), parameters);
    }

    /// <inheritdoc/>
    public void Merge(Model model, PeftConfig config, IReadOnlyDictionary<string, Tensor> weights)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(weights);
        var lora = (LoraConfig)config;
        var selected = Select(model.Graph, lora);
        foreach (var module in selected)
        {
            var scale = lora.ScaleOf(module.Name) / module.Node.Attributes.Float("alpha", 1);
            LoraMerge.Fold(model.Graph, module, scale, weights[NameOfA(module)], weights[NameOfB(module)]);
        }

        foreach (var bias in LoraBiases.Select(model.Graph, lora, selected))
            model.Graph.SetInitializer(bias.Value, weights[bias.Name]);
    }

    private static IReadOnlyList<LinearModule> Select(Graph graph, LoraConfig config)
    {
        var modules = ModuleCatalogue.LinearModules(graph);
        var targets = config.TargetModules ?? DefaultFor(modules);
        return TargetSelector.Select(
            modules, targets, config.ExcludeModules, config.LayersToTransform, config.LayersPattern);
    }

    private static ModuleTargets DefaultFor(IReadOnlyList<LinearModule> modules)
    {
        var endings = modules.Select(static m => m.Name.Split('.')[^1]).ToHashSet();
        return DefaultTargets.FirstOrDefault(t => t.All(endings.Contains)) is { } names
            ? ModuleTargets.Create(names)
            : ModuleTargets.AllLinear;
    }

    /// <summary>
    /// Adds s·(x·Aᵀ)·Bᵀ to the product. Gemm adds it in the pass that multiplies by B.
    /// </summary>
    private static IEnumerable<AdapterParameter> InjectInto(
        LinearModule module, LoraConfig config, GraphBuilder g, long seed)
    {
        var r = config.RankOf(module.Name);
        var (nameA, nameB) = (NameOfA(module), NameOfB(module));
        var boundA = 1 / Math.Sqrt(module.InFeatures);
        var boundB = config.InitLoraWeights ? 0 : 1 / Math.Sqrt(r);
        var a = g.Graph.AddInitializer(nameA, Uniform(seed, nameA, r, module.InFeatures, boundA));
        var b = g.Graph.AddInitializer(nameB, Uniform(seed, nameB, module.OutFeatures, r, boundB));

        var graft = new ModuleGraft(g, module, "/lora");
        var x = graft.Input();
        if (config.LoraDropout > 0)
            x = g.Op("Dropout", x, g.Scalar(ElementType.Float, config.LoraDropout), g.Scalar(ElementType.Bool, 1));
        var low = g.Gemm(x, a, transB: true);
        graft.ReplaceProduct(y => g.Gemm(low, b, y, transB: true, alpha: (float)config.ScaleOf(module.Name)));
        return [new AdapterParameter(nameA, a), new AdapterParameter(nameB, b)];
    }

    private static Tensor Uniform(long seed, string name, long rows, long columns, double bound)
    {
        var random = new SplitMix64(seed, name);
        var values = new float[rows * columns];
        for (var i = 0; i < values.Length && bound > 0; i++)
            values[i] = random.NextUniform(-bound, bound);
        return Tensor.Of<float>(values, [rows, columns]);
    }

    /// <summary>
    /// What HF PEFT can read back: a container's name becomes the names inside it, a default the names it meant.
    /// </summary>
    private static LoraConfig Resolve(LoraConfig config, IReadOnlyList<LinearModule> selected)
    {
        var targets = config.TargetModules ?? ModuleTargets.Listed(
            selected.Select(static m => m.Name.Split('.')[^1]).Distinct());
        if (targets.Pattern is not null && config.LayersToTransform is { Count: > 0 })
            targets = ModuleTargets.Listed(selected.Select(static m => m.Name)); // HF PEFT takes layers with lists only
        else if (targets.Pattern is null)
            targets = ModuleTargets.Listed(targets.Names.SelectMany(name => EndingsFor(name, selected)).Distinct());
        return config with
        {
            TargetModules = targets,
            FanInFanOut = selected.Any(static m =>
                !m.IsOutByIn && m.Weight.Name.EndsWith(".weight", StringComparison.Ordinal)),
        };
    }

    private static IEnumerable<string> EndingsFor(string name, IReadOnlyList<LinearModule> selected)
    {
        if (selected.Any(m => m.Name == name || m.Name.EndsWith("." + name, StringComparison.Ordinal)))
            return [name];
        return selected.Select(m => $".{m.Name}")
            .Where(path => path.Contains($".{name}.", StringComparison.Ordinal))
            .Select(path => path[(path.LastIndexOf($".{name}.", StringComparison.Ordinal) + 1)..]);
    }

    private static string NameOfA(LinearModule module) => $"base_model.model.{module.Name}.lora_A.weight";

    private static string NameOfB(LinearModule module) => $"base_model.model.{module.Name}.lora_B.weight";
}
