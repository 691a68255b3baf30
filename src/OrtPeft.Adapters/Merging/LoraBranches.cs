using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Modules;
using OrtPeft.Adapters.Several;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Adapters.Merging;

/// <summary>
/// Adds LoRA's products beside the layers of the graph as it was given: y + (x·Aᵀ)·(s·Bᵀ), after the layer's bias, so
/// that ONNX Runtime fuses product and bias as before. Layers that the graph has packed get one pair for their parts, with
/// zeros where a part is not of the pair.
/// </summary>
internal sealed class LoraBranches
{
    private static readonly string[] Products = ["MatMul", "Gemm", "MatMulNBits", "FusedMatMul"];

    private static readonly string[] Between = ["DequantizeLinear", "Transpose", "Cast", "Identity"];

    private readonly Model _copy;
    private readonly SourcePlaces _places;
    private readonly Dictionary<string, LinearModule> _modules;

    private LoraBranches(BaseModel given)
    {
        _copy = given.Original.Clone();
        _places = new SourcePlaces(given.Original.Graph);
        _modules = ModuleCatalogue.LinearModules(given.Canonical.Graph).ToDictionary(static m => m.Name);
    }

    /// <summary>Adds them to a copy of a base.</summary>
    /// <exception cref="ConfigException">An adapter is more than LoRA of linear layers, or a layer has no product of its
    /// own in the given graph.</exception>
    public static MergeOutcome On(BaseModel given, IReadOnlyList<Adapter> adapters)
    {
        var branches = new LoraBranches(given);
        foreach (var group in adapters.SelectMany(branches.PairsOf).GroupBy(static p => p.Product))
            branches.Add(group.Key, [.. group]);
        Onnx.Passes.DecoderNaming.Restore(branches._copy);
        return new MergeOutcome(branches._copy, IsSourceGraph: true, Requantized: 0, RelativeError: 0);
    }

    /// <summary>A and B of a layer, and where they stand in the given graph.</summary>
    private sealed record Pair(Node Product, string Module, int First, Tensor A, Tensor B, double Scale, ElementType Type, int Width);

    private IEnumerable<Pair> PairsOf(Adapter adapter)
    {
        var weights = adapter.Weights();
        if (adapter.Injection.Config is not LoraConfig { UseDora: false, LoraBias: false } config
            || EnabledParts.Of(config) is not null || adapter.OfBase.Others.Count > 0 || !weights.Keys.All(IsFactor))
        {
            throw new ConfigException(
                $"The adapter '{adapter.Name}' is more than A and B of linear layers, which alone can stand beside them; "
                + "merge it into the weights.");
        }

        foreach (var name in weights.Keys.Where(static n => HfName.IsPart(n, HfName.LoraA)))
        {
            var module = HfName.ModuleOf(name, HfName.LoraA);
            var (a, b, scale) = (weights[name], weights[HfName.Of(module, HfName.LoraB)], config.ScaleOf(module));
            yield return PairOf(module, a, b, scale);
            if (weights.TryGetValue(HfName.StartOf(name), out var start))
                yield return PairOf(module, start, weights[HfName.StartOf(HfName.Of(module, HfName.LoraB))], -scale);
        }
    }

    private static bool IsFactor(string name)
    {
        var trained = HfName.IsStart(name) ? name[..^HfName.StartOf("").Length] : name;
        return HfName.IsPart(trained, HfName.LoraA) || HfName.IsPart(trained, HfName.LoraB);
    }

    private Pair PairOf(string name, Tensor a, Tensor b, double scale)
    {
        var module = _modules[name];
        if (_places.Of(module.Weight) is not { } place || ProductOf(module, place.Source) is not { } product)
        {
            throw new ConfigException(
                $"{name} has no product of its own in the given graph that a branch could be added to; merge it into the "
                + "weights.");
        }

        var stored = place.Source.Constant!;
        var type = stored.Type.IsFloating() ? stored.Type
            : product.Inputs.Concat(product.Inputs[1]!.Producer?.Inputs ?? [])
                .Select(static i => i?.Constant?.Type ?? ElementType.Undefined).First(static t => t.IsFloating());
        var width = place.Columns is null ? (int)module.OutFeatures
            : stored.Type.IsFloating() ? (int)stored.Dims[^1] : (int)product.Attributes.Int("N", stored.Dims[^1]);
        return new Pair(product, name, place.First, a, b, scale, type, width);
    }

    /// <summary>The node of the copy that multiplies by a constant; of several, the one with the module's result.</summary>
    private Node? ProductOf(LinearModule module, Value source)
    {
        var readers = new List<Node>();
        var open = new Queue<Value>([_copy.Graph.Find(source.Name)!]);
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

    private void Add(Node product, IReadOnlyList<Pair> pairs)
    {
        var (rank, inputs, width) = (pairs.Sum(static p => (int)p.A.Dims[0]), (int)pairs[0].A.Dims[1], pairs[0].Width);
        var (down, up, at) = (new float[inputs * rank], new float[rank * width], 0);
        foreach (var pair in pairs)
        {
            var (r, outputs) = ((int)pair.A.Dims[0], (int)pair.B.Dims[0]);
            var (a, b) = (pair.A.ToFloat32(), pair.B.ToFloat32());
            for (var k = 0; k < r; k++)
            {
                for (var i = 0; i < inputs; i++)
                    down[(i * rank) + at + k] = a[(k * inputs) + i];
                for (var o = 0; o < outputs; o++)
                    up[((at + k) * width) + pair.First + o] = (float)(pair.Scale * b[(o * r) + k]);
            }

            at += r;
        }

        var graph = _copy.Graph;
        var g = new GraphBuilder(graph, new ShapeInference(_copy.Opset));
        var y = product.Output.Uses is [{ Node: var next }] && next.Is("Add")
            && next.Inputs.Any(static i => i?.Constant is { Dims.Length: 1 })
            ? next.Output
            : product.Output;
        (g.Before, g.Scope) = (graph.FirstReader(y), $"/{pairs[0].Module}/lora");
        var result = g.Op("Add", y, g.Op("MatMul", g.Op("MatMul", product.Inputs[0], Factor("lora_A", down, inputs, rank)),
            Factor("lora_B", up, rank, width)));
        var (name, isResult) = (y.Name, y.IsGraphOutput);
        (result.Type, result.Shape) = (y.Type, y.Shape);
        graph.ReplaceAllUsesWith(y, result, result.Producer!);
        if (!isResult)
            return;
        graph.Rename(y, graph.FreshName($"{name}_base"));
        graph.Rename(result, name);

        Value Factor(string part, float[] numbers, int rows, int columns)
        {
            var own = graph.FreshName($"{pairs[0].Module}.{part}.weight");
            return graph.AddInitializer(
                own, Narrowing.ToTensor(numbers, pairs[0].Type, [rows, columns]).WithName(own));
        }
    }
}
