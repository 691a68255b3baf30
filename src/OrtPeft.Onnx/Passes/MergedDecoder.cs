using System.Globalization;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Onnx.Passes;

/// <summary>
/// The parts that Optimum's merged decoders alone have: one <c>If</c> whose condition is fed, a branch for the first
/// step and one for a growing cache, and weights of both in the graph around them, their names ending in
/// <c>_merged_0</c>.
/// </summary>
internal static class MergedDecoder
{
    /// <summary>The input that chooses: false for sequences without a past, true where a cache is fed.</summary>
    public const string Switch = "use_cache_branch";

    private const string Ending = "_merged_";

    /// <summary>A parameter's name without the ending that merging two decoders gave it.</summary>
    /// <param name="name">A name, such as <c>transformer.wte.weight_merged_0</c>.</param>
    /// <returns>Such as <c>transformer.wte.weight</c>; other names as they are.</returns>
    public static string BareName(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var at = name.LastIndexOf(Ending, StringComparison.Ordinal);
        return at > 0 && IsNumber(name.AsSpan(at + Ending.Length)) ? name[..at] : name;
    }

    /// <summary>Makes the switch the constant false, as for every sequence without a past.</summary>
    /// <returns>Whether the graph has one.</returns>
    internal static bool ChooseWithoutPast(Graph graph)
    {
        if (graph.Inputs.FirstOrDefault(static i => i.Name == Switch) is not { } fed)
            return false;
        var dims = fed.Shape?.ToStatic() ?? [1];
        if (fed.Type != ElementType.Bool || dims.Length > 1 || dims is [not 1])
        {
            throw new GraphException(
                $"The input {fed} chooses between two decoders; Bool[1] is expected: export the model again.");
        }

        graph.SetInitializer(fed, new Tensor(ElementType.Bool, dims, new MemoryTensorData(new byte[1])));
        graph.TurnIntoConstant(fed);
        return true;
    }

    /// <summary>Drops the caches that no branch is left to read, and gives the weights their own names back.</summary>
    internal static void CleanUp(Graph graph)
    {
        var pasts = graph.Inputs.Where(CacheInputs.IsPast).ToArray();
        var unread = pasts.Where(static p => p.Uses.Count == 0 && !p.IsGraphOutput).ToArray();
        foreach (var past in unread)
            graph.Remove(past);
        if (unread.Length == pasts.Length)
            PastRemoval.MaskCoversTheSequenceOnly(graph);
        foreach (var value in graph.Initializers.Where(static v => !v.IsGraphInput).ToArray())
        {
            if (graph.Find(BareName(value.Name)) is null)
                graph.Rename(value, BareName(value.Name));
        }
    }

    private static bool IsNumber(ReadOnlySpan<char> text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _);
}
