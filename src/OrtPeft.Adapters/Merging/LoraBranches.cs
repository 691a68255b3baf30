using OrtPeft.Adapters.Several;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Adapters.Merging;

/// <summary>
/// Adds LoRA's products beside the layers of the graph as it was given: y + (x·Aᵀ)·(s·Bᵀ), after the layer's bias, so
/// that ONNX Runtime fuses product and bias as before. Layers that the graph has packed get one pair for their parts, with
/// zeros where a part is not of the pair.
/// </summary>
internal static class LoraBranches
{
    /// <summary>Adds them to a copy of a base.</summary>
    /// <exception cref="ConfigException">An adapter is more than LoRA of linear layers, or a layer has no product of its
    /// own in the given graph.</exception>
    public static MergeOutcome On(BaseModel given, IReadOnlyList<Adapter> adapters)
    {
        var copy = given.Original.Clone();
        var sites = new LoraSites(given, copy.Graph);
        foreach (var group in adapters.SelectMany(sites.PairsOf).GroupBy(static p => p.Site.Product).ToList())
            Add(copy, [.. group]);
        DecoderNaming.Restore(copy);
        return new MergeOutcome(copy, IsSourceGraph: true, Requantized: 0, RelativeError: 0);
    }

    private static void Add(Model copy, IReadOnlyList<LoraPair> pairs)
    {
        var site = pairs[0].Site;
        var (down, up, rank) = LoraPair.Stack(pairs);
        site.Add(copy, (g, x, _) => g.MatMul(
            g.MatMul(x, Factor("lora_A", down, site.InFeatures, rank)), Factor("lora_B", up, rank, site.Width)));

        Value Factor(string part, float[] numbers, int rows, int columns)
        {
            var own = copy.Graph.FreshName($"{site.Module}.{part}.weight");
            return copy.Graph.AddInitializer(
                own, Narrowing.ToTensor(numbers, site.Type, [rows, columns]).WithName(own));
        }
    }
}
