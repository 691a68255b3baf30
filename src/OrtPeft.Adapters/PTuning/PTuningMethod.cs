using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.Decoders;
using OrtPeft.Adapters.PromptLearning;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Adapters.PTuning;

/// <summary>P-tuning: a small network makes the virtual tokens' embeddings.</summary>
/// <seealso href="https://arxiv.org/abs/2103.10385">Liu et al., GPT Understands, Too.</seealso>
internal sealed class PTuningMethod : IPeftMethod
{
    /// <inheritdoc/>
    public MethodDescription Description { get; } = new()
    {
        Name = "p-tuning",
        PeftType = "P_TUNING",
        Title = "p-tuning",
        Paper = new("https://arxiv.org/abs/2103.10385"),
        Trains = "a small network that makes the embeddings of virtual tokens before the input",
        Options = [SharedOptions.VirtualTokens],
        WhyNotMergeable = "virtual tokens are input, not a change of any weight",
    };

    /// <inheritdoc/>
    public PeftConfig ReadConfig(ConfigFields fields) => PTuningConfig.FromFields(fields);

    /// <inheritdoc/>
    public Injection Inject(Model model, PeftConfig config, long seed)
    {
        ArgumentNullException.ThrowIfNull(model);
        var given = (PTuningConfig)config;
        given.Validate();
        var g = GraphBuilder.Over(model);
        var embedding = TokenEmbedding.Find(model.Graph);
        var described = (PTuningConfig)PromptInjection.Described(model.Graph, given, embedding);
        var resolved = described with { EncoderHiddenSize = given.EncoderHiddenSize ?? embedding.Width };
        var encoder = new PromptEncoder(g, seed);
        return PromptInjection.Of(encoder, resolved, embedding, Prompt(encoder, resolved, embedding.Width));
    }

    private static Value Prompt(PromptEncoder encoder, PTuningConfig config, int width)
    {
        var count = config.NumVirtualTokens;
        return config.IsFlat
            ? encoder.Flat(InitialWeights.Zeros(count, width))
            : PTuningEncoders.Apply(encoder, encoder.Embedding("embedding", count, width), config);
    }
}
