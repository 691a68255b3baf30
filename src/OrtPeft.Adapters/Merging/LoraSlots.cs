using OrtPeft.Adapters.Several;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Merging;

/// <summary>
/// A base with slots for LoRA adapters: every row of a batch names its slot, and each adapted product adds
/// (x·A[slot])·B[slot]. A and B of all slots are inputs of the graph, A [slots, in, r] and B [slots, r, out], so that adapters
/// come and go without a new session. A slot of zeros is the base. Where a module has no factors r is 0.
/// </summary>
internal sealed class LoraSlots
{
    /// <summary>The input that says which slot each row computes with, <c>[batch] int64</c>.</summary>
    public const string Choice = "adapter_slot";

    private readonly BaseModel _given;
    private readonly LoraSites _sites;

    private LoraSlots(BaseModel given, Model model, LoraSites sites, IReadOnlyList<LoraSlot> all)
    {
        (_given, Model, _sites, All) = (given, model, sites, all);
    }

    /// <summary>The graph, with the slots' inputs after its own.</summary>
    public Model Model { get; }

    /// <summary>The adapted products.</summary>
    public IReadOnlyList<LoraSlot> All { get; }

    /// <summary>Makes a graph with slots.</summary>
    /// <param name="model">A decoder under Optimum's names; not changed.</param>
    /// <param name="adapters">Reads the adapters that must fit, on the canonical base.</param>
    /// <param name="isOpen">Whether others are to come: then every linear layer has a slot.</param>
    /// <returns>The graph, and the adapters' factors.</returns>
    /// <exception cref="ConfigException">An adapter is more than LoRA of linear layers, or does not fit.</exception>
    public static (LoraSlots Slots, IReadOnlyList<LoraFactorsOfSlots> Adapters) Of(
        Model model, Func<Model, IReadOnlyList<Adapter>> adapters, bool isOpen)
    {
        var given = BaseModel.Of(model);
        var loaded = adapters(given.Canonical);
        try
        {
            return In(given, loaded, isOpen);
        }
        catch (ConfigException) when (loaded.Count > 0)
        {
            // The given graph has the products in a form that nothing can be added to; the canonical one has all.
            var canonical = given.Canonical.Clone();
            DropoutLowering.ForEvaluation(canonical);
            return In(new BaseModel(canonical, given.Canonical), loaded, isOpen);
        }
    }

    /// <summary>The factors of one more adapter.</summary>
    /// <param name="read">Reads it, on the canonical base.</param>
    /// <exception cref="ConfigException">It is more than LoRA of linear layers, or adapts a layer without a slot.</exception>
    public LoraFactorsOfSlots FactorsOf(Func<Model, Adapter> read) => FactorsOf(read(_given.Canonical));

    private static (LoraSlots Slots, IReadOnlyList<LoraFactorsOfSlots> Adapters) In(
        BaseModel given, IReadOnlyList<Adapter> adapters, bool isOpen)
    {
        var copy = given.Original.Clone();
        var sites = new LoraSites(given, copy.Graph);
        var adapted = adapters.SelectMany(sites.PairsOf).Select(static p => p.Site);
        var groups = (isOpen ? adapted.Concat(sites.All) : adapted).GroupBy(static s => s.Product).ToList();
        var slots = new List<LoraSlot>();
        if (groups.Count > 0)
        {
            var choice = copy.Graph.AddInput(copy.Graph.FreshName(Choice), ElementType.Int64, [Dim.Named("batch")]);
            slots.AddRange(groups.Select(g => Add(copy, choice, g.First(), $"slot_{slots.Count + 1}")));
        }

        var result = new LoraSlots(given, copy, sites, slots);
        return (result, [.. adapters.Select(result.FactorsOf)]);
    }

    private static LoraSlot Add(Model model, Value choice, LoraSite site, string hint)
    {
        var graph = model.Graph;
        var a = graph.AddInput(
            graph.FreshName($"{site.Module}.{hint}.A"), site.Type, [Dim.Named("slots"), site.InFeatures, Dim.Named($"{hint}_rank")]);
        var b = graph.AddInput(
            graph.FreshName($"{site.Module}.{hint}.B"), site.Type, [Dim.Named("slots"), Dim.Named($"{hint}_rank"), site.Width]);
        site.Add(model, (g, x, y) =>
        {
            var rows = x.Shape?.Rank == 3
                ? x
                : g.Op("Reshape", x, g.Concat(0, g.Shape(choice), g.Int64(-1), g.Int64(site.InFeatures)));
            var sum = g.MatMul(g.MatMul(rows, g.Gather(a, choice)), g.Gather(b, choice));
            return x.Shape?.Rank == 3 ? sum : g.Op("Reshape", sum, g.Shape(y));
        });
        return new LoraSlot(a.Name, b.Name, site);
    }

    private LoraFactorsOfSlots FactorsOf(Adapter adapter)
    {
        var products = All.Index().ToDictionary(static s => s.Item.Site.Product, static s => s.Index);
        var stacks = new Dictionary<int, (float[] Down, float[] Up, int Rank)>();
        foreach (var group in _sites.PairsOf(adapter).GroupBy(static p => p.Site.Product))
        {
            if (!products.TryGetValue(group.Key, out var index))
            {
                throw new ConfigException(
                    $"The adapter '{adapter.Name}' adapts {group.First().Site.Module}, which has no slot in this session; "
                    + "give the adapter when the model is opened.");
            }

            stacks.Add(index, LoraPair.Stack([.. group]));
        }

        return new LoraFactorsOfSlots(stacks);
    }
}
