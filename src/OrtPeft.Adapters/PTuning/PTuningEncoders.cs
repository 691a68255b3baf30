using OrtPeft.Adapters.PromptLearning;
using OrtPeft.Onnx;

namespace OrtPeft.Adapters.PTuning;

/// <summary>The networks of p-tuning by the name that the configuration gives them.</summary>
internal static class PTuningEncoders
{
    private static readonly Dictionary<string, Func<PromptEncoder, Value, PTuningConfig, Value>> Table =
        new(StringComparer.Ordinal)
        {
            ["MLP"] = Mlp,
            ["LSTM"] = Lstm,
        };

    /// <summary>Refuses unknown names.</summary>
    /// <exception cref="ConfigException">There is no such network.</exception>
    public static void Check(string type)
    {
        if (!Table.ContainsKey(type))
            throw new ConfigException(
                $"encoder_reparameterization_type is '{type}'; it must be one of {string.Join(", ", Table.Keys)}.");
    }

    /// <summary>Adds the network.</summary>
    /// <param name="encoder">Makes the parameters.</param>
    /// <param name="embedding">What the network reads, <c>[P, width]</c>.</param>
    /// <param name="config">Which network, and its sizes, all of them filled in.</param>
    /// <returns>The virtual tokens' embeddings, <c>[P, width]</c>.</returns>
    public static Value Apply(PromptEncoder encoder, Value embedding, PTuningConfig config) =>
        Table[config.EncoderReparameterizationType](encoder, embedding, config);

    /// <summary>Three linear layers with ReLU between them.</summary>
    private static Value Mlp(PromptEncoder encoder, Value x, PTuningConfig config)
    {
        var hidden = config.EncoderHiddenSize!.Value;
        x = encoder.Builder.Op("Relu", encoder.Linear("mlp_head.0", x, hidden));
        x = encoder.Builder.Op("Relu", encoder.Linear("mlp_head.2", x, hidden));
        return encoder.Linear("mlp_head.4", x, config.TokenDim!.Value);
    }

    /// <summary>A bidirectional LSTM over the virtual tokens, then two linear layers with ReLU between them.</summary>
    private static Value Lstm(PromptEncoder encoder, Value x, PTuningConfig config)
    {
        var hidden = config.EncoderHiddenSize!.Value;
        x = BidirectionalLstm.Apply(encoder, x, hidden, config.EncoderNumLayers, config.EncoderDropout);
        x = encoder.Builder.Op("Relu", encoder.Linear("mlp_head.0", x, 2 * hidden));
        return encoder.Linear("mlp_head.2", x, config.TokenDim!.Value);
    }
}
