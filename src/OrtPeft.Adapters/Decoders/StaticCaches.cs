using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;

namespace OrtPeft.Adapters.Decoders;

/// <summary>
/// Places and lengths that all rows share, such as those of caches whose slots are written in place: no tokens can be put
/// before those that are counted into them.
/// </summary>
internal static class StaticCaches
{
    /// <summary>Refuses a graph that has one.</summary>
    /// <exception cref="ConfigException">It has; the message names the input.</exception>
    public static void Refuse(Graph graph)
    {
        var slots = graph.Inputs.FirstOrDefault(static i => SharedInputs.ArePlaces(i)
            || SharedInputs.IsPastLength(i) || SharedInputs.IsTotalLength(i)
            || (i.Shape is { Rank: 4 or 5 } && CacheInputs.IsState(i)));
        if (slots is not null)
            throw new ConfigException(
                $"Graph '{graph.Name}': its tokens have places that all rows share (input {slots}), so no virtual ones can stand "
                + "before them; export the model without a static cache and with positions [batch, sequence], or choose another "
                + "method.");
    }
}
