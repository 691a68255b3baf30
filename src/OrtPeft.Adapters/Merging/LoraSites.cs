using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Modules;
using OrtPeft.Adapters.Several;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
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

    /// <summary>The layers that have a product of their own, a part of one, or several products.</summary>
    public IEnumerable<LoraSite> All => _modules.Values.SelectMany(SitesOf);

    /// <summary>An adapter's factors and where they belong.</summary>
    /// <param name="adapter">The adapter.</param>
    /// <exception cref="ConfigException">It changes more than a product of two factors beside linear layers can, or a layer has
    /// no product of its own in the given graph.</exception>
    public IEnumerable<LoraPair> PairsOf(Adapter adapter)
    {
        var description = adapter.Method.Description;
        if (description.WhyNotMergeable is { } reason)
        {
            throw new ConfigException(
                $"The adapter '{adapter.Name}' ({description.Title}) can neither stand beside the layers as A and B nor be merged: {reason}; run it with "
                + "OrtPeft, the adapter beside the base.");
        }

        return adapter.OfBase.Others.Count == 0 && adapter.Injection.LowRank is { } changes
            ? changes(adapter.Weights()).SelectMany(PairsOf)
            : ChangesOfLora(adapter).SelectMany(PairsOf);
    }

    private static IEnumerable<LowRankChange> ChangesOfLora(Adapter adapter)
    {
        var given = adapter.Weights();
        if (adapter.Injection.Config is not LoraConfig { UseDora: false, LoraBias: false } lora
            || adapter.OfBase.Others.Count > 0 || !given.Keys.All(IsFactor))
        {
            throw new ConfigException(
                $"The adapter '{adapter.Name}' ({adapter.Method.Description.Title}) is more than A and B of linear layers, which "
                + "alone can stand beside them; merge it into the weights: 'ortpeft merge', or an export that merges (genai, "
                + "foundry-local, hf, gguf).");
        }

        var (config, weights) = PlainLora.WithoutParts(lora, given);
        foreach (var name in weights.Keys.Where(static n => HfName.IsPart(n, HfName.LoraA)))
        {
            var module = HfName.ModuleOf(name, HfName.LoraA);
            var (scale, b) = (config.ScaleOf(module), HfName.Of(module, HfName.LoraB));
            yield return new LowRankChange(module, weights[name], weights[b], scale);
            if (weights.TryGetValue(HfName.StartOf(name), out var start))
                yield return new LowRankChange(module, start, weights[HfName.StartOf(b)], -scale);
        }
    }

    /// <summary>A layer's factors at each of its places, which are rows of B.</summary>
    private IEnumerable<LoraPair> PairsOf(LowRankChange change)
    {
        var first = 0;
        foreach (var site in Of(change.Module))
        {
            yield return new LoraPair(site, change.A, Rows(change.B, first, site.OutFeatures), change.Scale);
            first += site.OutFeatures;
        }
    }

    /// <summary>Some rows of a matrix; itself where they are all.</summary>
    private static Tensor Rows(Tensor matrix, int first, int count)
    {
        if (matrix.Dims[0] == count)
            return matrix;
        var columns = (int)matrix.Dims[1];
        return Tensor.Of<float>(matrix.ToFloat32().AsSpan(first * columns, count * columns), [count, columns]);
    }

    private static bool IsFactor(string name)
    {
        var trained = HfName.IsStart(name) ? name[..^HfName.StartOf("").Length] : name;
        return HfName.IsPart(trained, HfName.LoraA) || HfName.IsPart(trained, HfName.LoraB);
    }

    private IReadOnlyList<LoraSite> Of(string name) =>
        _modules.TryGetValue(name, out var module) && SitesOf(module) is { Count: > 0 } sites
            ? sites
            : throw new ConfigException(
                $"{name} has no product of its own in the given graph that a branch could be added to; merge it into the "
                + "weights.");

    /// <summary>Where a layer's products stand, in the order of its columns; none where one does not.</summary>
    private IReadOnlyList<LoraSite> SitesOf(LinearModule module)
    {
        var sites = _places.Of(module.Weight).Select((piece, i) => SiteOf(module, piece, i)).ToList();
        return sites.Contains(null) ? [] : [.. sites.OfType<LoraSite>()];
    }

    private LoraSite? SiteOf(LinearModule module, SourcePlaces.Piece piece, int index)
    {
        var place = piece.Place;
        if (ProductOf(module, place.Source) is not { } product)
            return null;
        var stored = place.Source.Constant!;
        var outputs = piece.Columns ?? (int)module.OutFeatures;
        var width = place.Columns is null ? outputs
            : stored.Type.IsFloating() ? (int)stored.Dims[^1] : (int)product.Attributes.Int("N", stored.Dims[^1]);
        var name = piece.Columns is null ? module.Name : BuilderNames.PartOf(module.Name, index);
        return new LoraSite(product, name, place.First, (int)module.InFeatures, outputs, width, TypeOf(product, stored));
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
