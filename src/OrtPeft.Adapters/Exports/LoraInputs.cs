using OrtPeft.Adapters.Merging;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Adapters.Exports;

/// <summary>
/// A base whose graph takes A and B of LoRA as optional inputs, and what adapters feed to them: the form that ONNX Runtime's
/// <c>RunOptions.AddActiveLoraAdapter</c> and GenAI's <c>Adapters</c> want. The graph is the base's own, with y + (x·A)·B after
/// the bias of each layer that an adapter changes; by default A and B have the rank 0, so that it answers as the base.
/// Without defaults they must be fed in each run: ONNX Runtime's JavaScript feeds no optional inputs.
/// Layers that the graph has packed get a pair for each part, as the source model has them. Inputs are called as HF PEFT
/// calls the tensors, without <c>base_model.model.</c>: <c>model.layers.0.self_attn.q_proj.lora_A.weight</c>.
/// </summary>
/// <seealso href="https://onnxruntime.ai/docs/genai/howto/run-with-lora.html"/>
public sealed class LoraInputs
{
    private const string RankSuffix = "lora_r";

    private readonly IReadOnlyDictionary<string, IReadOnlyList<LoraPair>> _pairs;

    private readonly IReadOnlyDictionary<string, Tensor> _empty;

    private LoraInputs(
        Model model, IReadOnlyDictionary<string, IReadOnlyList<LoraPair>> pairs, IReadOnlyDictionary<string, Tensor> empty)
    {
        Model = model;
        _pairs = pairs;
        _empty = empty;
    }

    /// <summary>The base with the inputs, in a copy that shares its weights.</summary>
    public Model Model { get; }

    /// <summary>Whether the layers compute in half precision, so that adapters are stored in it.</summary>
    public bool IsHalf => _pairs.Values.SelectMany(static p => p).Any(static p => p.Site.Type.IsHalf());

    /// <summary>Makes inputs for the layers of all adapters of a model.</summary>
    /// <param name="adapted">The base with its adapters; which of them are active does not matter.</param>
    /// <param name="areRequired">Whether the inputs have no defaults.</param>
    /// <exception cref="ConfigException">An adapter is more than A and B of linear layers, as which VeRA, LoHa and LoKr can be
    /// written too, or a layer has no product of
    /// its own in the given graph.</exception>
    public static LoraInputs Of(PeftModel adapted, bool areRequired = false)
    {
        ArgumentNullException.ThrowIfNull(adapted);
        if (adapted.HasBranches)
        {
            throw new ConfigException(
                "The graph chooses between branches at run time, which have no layers that inputs could be added to; merge "
                + "the adapter into the weights, or take an export without branches.");
        }

        var copy = adapted.Given.Original.Clone();
        var sites = new LoraSites(adapted.Given, copy.Graph);
        var pairs = adapted.Adapters.All.ToDictionary(
            static a => a.Name, a => (IReadOnlyList<LoraPair>)[.. sites.PairsOf(a)], StringComparer.Ordinal);
        var parts = sites.All.ToLookup(static s => s.Product);
        var empty = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var product in pairs.Values.SelectMany(static p => p).Select(static p => p.Site.Product).Distinct().ToList())
            Add(copy, [.. parts[product].OrderBy(static s => s.First)], empty);
        var inputs = new LoraInputs(copy, pairs, empty);
        if (!areRequired)
            inputs.SetDefaults(copy);
        DecoderNaming.Restore(copy);
        return inputs;
    }

    /// <summary>Gives inputs that have no default the rank 0.</summary>
    /// <param name="model">What was written of <see cref="Model"/>.</param>
    public void SetDefaults(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        foreach (var name in _empty.Keys)
        {
            if (model.Graph.Find(name) is { Initializer: null } input)
                model.Graph.SetInitializer(input, _empty[name]);
        }
    }

    /// <summary>The tensors that an adapter feeds to the inputs: Aᵀ [in, r], and Bᵀ [r, out] times the layer's own
    /// scale.</summary>
    /// <param name="adapters">The adapter's name; of several, the ranks are put side by side, which adds their effects up.
    /// ONNX Runtime itself would take one of two adapters of the same inputs and pass the other over.</param>
    /// <returns>Two tensors for each layer that they change, in the graph's type, by the inputs' names.</returns>
    /// <exception cref="ConfigException">There is no such adapter, or a number is beyond the graph's type.</exception>
    public IReadOnlyList<Tensor> TensorsOf(params IReadOnlyList<string> adapters)
    {
        ArgumentNullException.ThrowIfNull(adapters);
        return
        [
            .. adapters.SelectMany(PairsOf).GroupBy(static p => p.Site.Module)
                .SelectMany(static g => TensorsOf([.. g.Select(Alone)])),
        ];
    }

    private IReadOnlyList<LoraPair> PairsOf(string name) => _pairs.TryGetValue(name, out var pairs)
        ? pairs
        : throw new ConfigException($"There is no adapter '{name}'; there are {string.Join(", ", _pairs.Keys)}.");

    /// <summary>A part of a packed layer as if it were a layer.</summary>
    private static LoraPair Alone(LoraPair pair) =>
        pair with { Site = pair.Site with { First = 0, Width = pair.Site.OutFeatures } };

    private static IEnumerable<Tensor> TensorsOf(IReadOnlyList<LoraPair> pairs)
    {
        var site = pairs[0].Site;
        var (down, up, rank) = LoraPair.Stack(pairs);
        yield return Stored(NameOf(site, HfName.LoraA), down, site, [site.InFeatures, rank]);
        yield return Stored(NameOf(site, HfName.LoraB), up, site, [rank, site.OutFeatures]);
    }

    private static Tensor Stored(string name, float[] numbers, LoraSite site, long[] dims)
    {
        foreach (var number in numbers)
        {
            if (!float.IsFinite(Narrowing.Stored(number, site.Type)))
            {
                throw new ConfigException(
                    $"'{name}' has the number {number}, scale included, which {site.Type} cannot hold; check the adapter's "
                    + "weights, or take a base of float32.");
            }
        }

        return Narrowing.ToTensor(numbers, site.Type, dims).WithName(name);
    }

    private static string NameOf(LoraSite site, string part) => $"{site.Module}.{part}";

    private static void Add(Model copy, IReadOnlyList<LoraSite> parts, Dictionary<string, Tensor> empty)
    {
        var end = 0;
        foreach (var part in parts)
        {
            if (part.First != end)
                throw Untiled(part);
            end += part.OutFeatures;
        }

        if (end != parts[0].Width)
            throw Untiled(parts[^1]);
        parts[0].Add(copy, (g, x, _) =>
        {
            Value[] deltas = [.. parts.Select(part => g.MatMul(g.MatMul(x, InputA(part)), InputB(part)))];
            return deltas is [var only] ? only : g.Op("Concat", deltas, NodeAttribute.Of("axis", -1L));
        });

        Value InputA(LoraSite part) =>
            Input(NameOf(part, HfName.LoraA), part.Type, [part.InFeatures, Rank(part)], [part.InFeatures, 0]);

        Value InputB(LoraSite part) =>
            Input(NameOf(part, HfName.LoraB), part.Type, [Rank(part), part.OutFeatures], [0, part.OutFeatures]);

        Value Input(string name, ElementType type, Shape shape, long[] dims)
        {
            if (copy.Graph.Find(name) is not null)
                throw new ConfigException($"The graph has '{name}' already; export from the base that it was made of.");
            empty.Add(name, Narrowing.ToTensor([], type, dims).WithName(name));
            return copy.Graph.AddInput(name, type, shape);
        }
    }

    /// <summary>Each layer has a rank of its own: of one name, ONNX Runtime would take memory for one size.</summary>
    private static Dim Rank(LoraSite site) => Dim.Named($"{site.Module}.{RankSuffix}");

    private static ConfigException Untiled(LoraSite part) => new(
        $"{part.Module} stands in one product with others, and the graph does not tell where each of them is; merge the "
        + "adapter into the weights.");
}
