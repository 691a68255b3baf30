using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Modules;
using OrtPeft.Adapters.Several;
using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Merging;

/// <summary>Finds the products of a base's layers in the graph as it was given.</summary>
internal sealed class LoraSites
{
    private static readonly string[] Products = ["MatMul", "Gemm", "MatMulNBits", "FusedMatMul"];

    private static readonly string[] Between = ["DequantizeLinear", "Transpose", "Cast", "Identity"];

    private readonly SourcePlaces _places;
    private readonly Dictionary<string, LinearModule> _modules;
    private readonly Graph _copy;

    /// <summary>Looks at a base.</summary>
    /// <param name="given">The base.</param>
    /// <param name="copy">A copy of its original graph, whose nodes the sites have.</param>
    public LoraSites(BaseModel given, Graph copy)
    {
        _copy = copy;
        _places = new SourcePlaces(given.Original.Graph);
        _modules = ModuleCatalogue.LinearModules(given.Canonical.Graph).ToDictionary(static m => m.Name);
    }

    /// <summary>The layers that have a product of their own, or a part of one.</summary>
    public IEnumerable<LoraSite> All => _modules.Values.Select(SiteOf).OfType<LoraSite>();

    /// <summary>An adapter's factors and where they belong.</summary>
    /// <param name="adapter">The adapter.</param>
    /// <exception cref="ConfigException">It is more than LoRA of linear layers, or a layer has no product of its own in the
    /// given graph.</exception>
    public IEnumerable<LoraPair> PairsOf(Adapter adapter)
    {
        var given = adapter.Weights();
        if (adapter.Injection.Config is not LoraConfig { UseDora: false, LoraBias: false } lora
            || adapter.OfBase.Others.Count > 0 || !given.Keys.All(IsFactor))
        {
            throw new ConfigException(
                $"The adapter '{adapter.Name}' is more than A and B of linear layers, which alone can stand beside them; "
                + "merge it into the weights.");
        }

        var (config, weights) = PlainLora.WithoutParts(lora, given);
        foreach (var name in weights.Keys.Where(static n => HfName.IsPart(n, HfName.LoraA)))
        {
            var module = HfName.ModuleOf(name, HfName.LoraA);
            var (site, scale) = (Of(module), config.ScaleOf(module));
            yield return new LoraPair(site, weights[name], weights[HfName.Of(module, HfName.LoraB)], scale);
            if (weights.TryGetValue(HfName.StartOf(name), out var start))
            {
                yield return new LoraPair(
                    site, start, weights[HfName.StartOf(HfName.Of(module, HfName.LoraB))], -scale);
            }
        }
    }

    private static bool IsFactor(string name)
    {
        var trained = HfName.IsStart(name) ? name[..^HfName.StartOf("").Length] : name;
        return HfName.IsPart(trained, HfName.LoraA) || HfName.IsPart(trained, HfName.LoraB);
    }

    private LoraSite Of(string name) => (_modules.TryGetValue(name, out var module) ? SiteOf(module) : null)
        ?? throw new ConfigException(
            $"{name} has no product of its own in the given graph that a branch could be added to; merge it into the "
            + "weights.");

    private LoraSite? SiteOf(LinearModule module)
    {
        if (_places.Of(module.Weight) is not { } place || ProductOf(module, place.Source) is not { } product)
            return null;
        var stored = place.Source.Constant!;
        var width = place.Columns is null ? (int)module.OutFeatures
            : stored.Type.IsFloating() ? (int)stored.Dims[^1] : (int)product.Attributes.Int("N", stored.Dims[^1]);
        return new LoraSite(
            product, module.Name, place.First, (int)module.InFeatures, (int)module.OutFeatures, width, TypeOf(product, stored));
    }

    /// <summary>The type that a product computes in, which is what its weight is made to.</summary>
    private static ElementType TypeOf(Node product, Tensor stored)
    {
        for (var value = product.Inputs[1]; value?.Producer is { } maker && Between.Contains(maker.OpType); value = maker.Inputs[0])
        {
            if (maker.Is("Cast"))
                return (ElementType)maker.Attributes.Int("to", (long)ElementType.Float);
        }

        return stored.Type.IsFloating() ? stored.Type
            : product.Inputs.Concat(product.Inputs[1]!.Producer?.Inputs ?? [])
                .Select(static i => i?.Constant?.Type ?? ElementType.Undefined).First(static t => t.IsFloating());
    }

    /// <summary>The node of the copy that multiplies by a constant; of several, the one with the module's result.</summary>
    private Node? ProductOf(LinearModule module, Value source)
    {
        var readers = new List<Node>();
        if (_copy.Find(source.Name) is not { } own)
            return null;
        var open = new Queue<Value>([own]);
        while (open.TryDequeue(out var value))
        {
            foreach (var node in value.Uses.Select(static u => u.Node))
            {
                if (Between.Contains(node.OpType))
                    open.Enqueue(node.Output);
                else if (Products.Contains(node.OpType) && node.Attributes.Int("transA", 0) == 0)
                    readers.Add(node);
            }
        }

        if (readers.Distinct().ToList() is [var only])
            return only;
        var result = module.BiasAdd?.Output ?? module.Node.Output;
        return readers.FirstOrDefault(r => r.Output.Name == result.Name || r.Output.Name == module.Node.Output.Name);
    }
}
