using OrtPeft.Adapters.Decoders;
using OrtPeft.Onnx;

namespace OrtPeft.Adapters.PromptLearning;

/// <summary>The common part of prompt tuning and p-tuning: virtual tokens that enter where the input's are embedded.</summary>
internal static class PromptInjection
{
    /// <summary>The configuration with what the model says of itself.</summary>
    /// <exception cref="ConfigException">It says something else than the configuration.</exception>
    public static PromptLearningConfig Described(Graph graph, PromptLearningConfig config, TokenEmbedding embedding)
    {
        var layers = AttentionLayer.All(graph);
        var heads = layers.Count == 0 ? null : layers[0].QueryHeads;
        return config.For(embedding.Width, heads, layers.Count == 0 ? null : layers.Count);
    }

    /// <summary>Puts the virtual tokens into the graph.</summary>
    /// <param name="encoder">What made them.</param>
    /// <param name="config">The configuration with every choice made.</param>
    /// <param name="embedding">Where tokens are embedded.</param>
    /// <param name="prompt">The virtual tokens' embeddings, <c>[P, width]</c>.</param>
    public static Injection Of(
        PromptEncoder encoder, PromptLearningConfig config, TokenEmbedding embedding, Value prompt)
    {
        VirtualTokens.Prepend(encoder.Builder, embedding, prompt);
        return new Injection(config, encoder.Parameters)
        {
            VirtualTokens = config.NumVirtualTokens,
            ReservedPositions = config.NumVirtualTokens,
            ForSaving = encoder.ForSaving(prompt),
            Computed = PromptEncoder.Computed(prompt),
        };
    }
}
