using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.Decoders;
using OrtPeft.Adapters.PromptLearning;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Numerics;

namespace OrtPeft.Adapters.PromptTuning;

/// <summary>Prompt tuning: learned embeddings before those of the input.</summary>
/// <seealso href="https://arxiv.org/abs/2104.08691">Lester et al., The Power of Scale for Parameter-Efficient Prompt
/// Tuning.</seealso>
internal sealed class PromptTuningMethod : IPeftMethod
{
    /// <inheritdoc/>
    public MethodDescription Description { get; } = new()
    {
        Name = "prompt-tuning",
        PeftType = "PROMPT_TUNING",
        Title = "prompt tuning",
        Paper = new("https://arxiv.org/abs/2104.08691"),
        Trains = "the embeddings of virtual tokens before the input",
        Options =
        [
            SharedOptions.VirtualTokens,
            new(
                "--prompt-init-text",
                "prompt_tuning_init_text",
                OptionForm.Text,
                "Prompt tuning: start from the embeddings of this text. [default: random]",
                "TEXT")
            {
                Implies = ("prompt_tuning_init", static _ => "TEXT"),
            },
        ],
        WhyNotMergeable = "virtual tokens are input, not a change of any weight",
    };

    /// <inheritdoc/>
    public PeftConfig ReadConfig(ConfigFields fields) => PromptTuningConfig.FromFields(fields);

    /// <inheritdoc/>
    public StartNeeds NeedsOf(PeftConfig config) =>
        config is PromptTuningConfig { PromptTuningInit: "TEXT", PromptTuningInitText: { } text }
            ? new StartNeeds { Text = text }
            : StartNeeds.None;

    /// <inheritdoc/>
    public PeftConfig WithTokens(PeftConfig config, IReadOnlyList<int> tokens, string tokenizer)
    {
        var prompt = (PromptTuningConfig)config;
        return prompt with
        {
            InitTokenIds = tokens,
            TokenizerNameOrPath = prompt.TokenizerNameOrPath ?? tokenizer,
        };
    }

    /// <inheritdoc/>
    public Injection Inject(Model model, PeftConfig config, long seed)
    {
        ArgumentNullException.ThrowIfNull(model);
        var prompt = (PromptTuningConfig)config;
        prompt.Validate();
        var g = GraphBuilder.Over(model);
        var embedding = TokenEmbedding.Find(model.Graph);
        var resolved = PromptInjection.Described(model.Graph, prompt, embedding);
        var encoder = new PromptEncoder(g, seed);
        var rows = encoder.Flat(Initial(prompt, embedding, encoder, seed));
        return PromptInjection.Of(encoder, resolved, embedding, rows);
    }

    private static Tensor Initial(PromptTuningConfig config, TokenEmbedding embedding, PromptEncoder encoder, long seed)
    {
        var count = config.NumVirtualTokens;
        if (config.IsFlat)
            return InitialWeights.Zeros(count, embedding.Width); // trained rows take their place
        if (config.PromptTuningInit == "RANDOM")
            return encoder.Random(count, embedding.Width);
        var tokens = config.PromptTuningInit == "TEXT" ? TokensOfText(config) : Sampled(embedding, count, seed);
        var rows = Enumerable.Range(0, count).SelectMany(i => embedding.Row(tokens[i % tokens.Count])).ToArray();
        return Tensor.Of<float>(rows, [count, embedding.Width]);
    }

    private static IReadOnlyList<int> TokensOfText(PromptTuningConfig config) => config.InitTokenIds switch
    {
        null => throw new ConfigException(
            "prompt_tuning_init is TEXT, and there is no tokenizer to make tokens of the text; give the model a " +
            "tokenizer, or set InitTokenIds."),
        { Count: 0 } => throw new ConfigException(
            $"prompt_tuning_init_text is '{config.PromptTuningInitText}', which makes no token; give a longer text."),
        var tokens => tokens,
    };

    private static int[] Sampled(TokenEmbedding embedding, int count, long seed)
    {
        var random = new SplitMix64(seed, $"{PromptLearningConfig.PromptName}/tokens");
        return [.. Enumerable.Range(0, count).Select(_ => random.NextBelow(embedding.VocabularySize))];
    }
}
