using OrtPeft.Adapters;
using OrtPeft.Adapters.Merging;
using OrtPeft.Adapters.Several;
using OrtPeft.Inference;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;

namespace OrtPeft.Serving.Engine;

/// <summary>An engine with made-up adapters, to measure.</summary>
internal static class TrialEngine
{
    /// <summary>Opens one.</summary>
    /// <param name="model">The base.</param>
    /// <param name="config">What each adapter is.</param>
    /// <param name="count">How many adapters, each from a seed of its own.</param>
    /// <param name="options">Limits.</param>
    /// <returns>The engine, and the adapters' slots.</returns>
    public static (BatchEngine Engine, IReadOnlyList<EngineSlot> Adapters) Open(
        Model model, PeftConfig config, int count, ServingOptions options)
    {
        var decoder = OwnLoss.Without(DecoderNaming.Named(model));
        var (slots, factors) = LoraSlots.Of(
            decoder,
            canonical => [.. Enumerable.Range(0, count).Select(i => Adapter.Create($"a{i}", canonical, config, i).Matched())],
            isOpen: false);
        var engine = BatchEngine.Open(slots, options);
        return (engine, [.. factors.Select(f => engine.Add(f).GetAwaiter().GetResult())]);
    }
}
