using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;

namespace OrtPeft.Adapters.Inspection;

/// <summary>Finds weights that are read more than once, stored once, or there twice.</summary>
internal static class SharedWeights
{
    public static IReadOnlyList<SharedWeight> Of(Graph graph, IReadOnlyList<LinearModule> modules)
    {
        var weights = WeightCatalogue.Weights(graph).ToArray();
        var head = modules.FirstOrDefault(static m => m.IsOutputLayer);
        return
        [
            .. weights.Where(static w => w.Uses.Count > 1).Select(w => Read(w, head)),
            .. weights.GroupBy(static w => w.Initializer!.Data).Where(static g => g.Count() > 1)
                .Select(static g => new SharedWeight(SharedWeight.StoredOnce, [.. g.Select(static w => w.Name)])),
            .. Copies(weights, head),
        ];
    }

    private static SharedWeight Read(Value weight, LinearModule? head)
    {
        if (weight == head?.Weight && EmbeddingCatalogue.LookUpsOf(weight).Any())
            return new(SharedWeight.Tied, [weight.Name, $"{head.Name}.weight"]);
        var readers = weight.Uses.Select(static u => u.Node.Name.Length > 0 ? u.Node.Name : u.Node.Output.Name);
        return new(SharedWeight.ReadTwice, [weight.Name, .. readers.Distinct()]);
    }

    private static IEnumerable<SharedWeight> Copies(Value[] weights, LinearModule? head)
    {
        if (head is null || EmbeddingCatalogue.LookUpsOf(head.Weight).Any())
            return [];
        return weights.Where(static w => w.Uses.Any(static u => u.Node.Is("Gather") && u.Index == 0))
            .Where(w => TiedHead.IsCopy(w, head))
            .Select(w => new SharedWeight(SharedWeight.Copied, [w.Name, head.Weight.Name]));
    }
}
