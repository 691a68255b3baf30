using System.Collections.Frozen;
using System.Text.RegularExpressions;

namespace OrtPeft.Models.Gpt2;

/// <summary>The weights of a GPT-2, in HF's names, shapes and initialisation.</summary>
internal static partial class Gpt2Architecture
{
    public const string TokenEmbedding = "transformer.wte.weight";
    public const string PositionEmbedding = "transformer.wpe.weight";
    public const string OutputEmbedding = "lm_head.weight";

    public static Architecture Of(Gpt2Config config) => new()
    {
        Config = config,
        Weights = [.. Weights(config)],
        Prefix = "transformer.",
        TiedWeights = config.TieWordEmbeddings
            ? new Dictionary<string, string> { [OutputEmbedding] = TokenEmbedding }.ToFrozenDictionary()
            : FrozenDictionary<string, string>.Empty,
        IsBuffer = static name => BufferName().IsMatch(name),
        BuildGraph = weights => new Gpt2GraphBuilder(config, weights).Build(),
    };

    private static IEnumerable<WeightSpec> Weights(Gpt2Config config)
    {
        var width = config.EmbeddingSize;
        var deviation = config.InitializerRange;
        // Each block adds to the residual stream twice; the smaller start keeps its variance from growing with depth.
        var residual = deviation / MathF.Sqrt(2f * config.Layers);
        yield return new(TokenEmbedding, [config.VocabSize, width], 0, deviation);
        yield return new(PositionEmbedding, [config.Positions, width], 0, deviation);
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var block = $"transformer.h.{layer}";
            WeightSpec[] weights =
            [
                .. Norm($"{block}.ln_1", width),
                .. Linear($"{block}.attn.c_attn", width, 3 * width, deviation),
                .. Linear($"{block}.attn.c_proj", width, width, residual),
                .. Norm($"{block}.ln_2", width),
                .. Linear($"{block}.mlp.c_fc", width, config.MlpSize, deviation),
                .. Linear($"{block}.mlp.c_proj", config.MlpSize, width, residual),
            ];
            foreach (var weight in weights)
                yield return weight;
        }

        foreach (var weight in Norm("transformer.ln_f", width))
            yield return weight;
        if (!config.TieWordEmbeddings)
            yield return new(OutputEmbedding, [config.VocabSize, width], 0, deviation);
    }

    private static WeightSpec[] Norm(string module, int width) =>
        [new($"{module}.weight", [width], 1), new($"{module}.bias", [width])];

    /// <summary>HF's Conv1D: the weight is <c>[in, out]</c>.</summary>
    private static WeightSpec[] Linear(string module, int from, int to, float deviation) =>
        [new($"{module}.weight", [from, to], 0, deviation), new($"{module}.bias", [to])];

    /// <summary>The causal masks that old versions saved.</summary>
    [GeneratedRegex(@"^h\.[0-9]+\.attn\.(masked_)?bias$", RegexOptions.CultureInvariant)]
    private static partial Regex BufferName();
}
