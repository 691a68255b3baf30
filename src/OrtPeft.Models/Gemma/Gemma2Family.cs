using System.Text.Json.Nodes;
using OrtPeft.Models.Configuration;
using OrtPeft.Models.Llama;

namespace OrtPeft.Models.Gemma;

/// <summary>
/// Gemma 2: norms around attention and MLP, bounded scores and logits, a window in every second layer. Defaults are
/// those of HF's <c>Gemma2Config</c>.
/// </summary>
/// <seealso href="https://huggingface.co/docs/transformers/model_doc/gemma2#transformers.Gemma2Config"/>
internal static class Gemma2Family
{
    private const string ScoreCap = "attn_logit_softcapping";
    private const string LogitsCap = "final_logit_softcapping";
    private const string ScalarField = "query_pre_attn_scalar";
    private const int DefaultWindow = 4096;

    private static readonly LlamaKind Kind = new()
    {
        ModelType = "gemma2",
        Architecture = "Gemma2ForCausalLM",
        ActivationField = "hidden_activation",
        NormOffset = 1,
        Norms = BlockNorms.Around,
        ReadOwn = static (fields, config) => ReadShared(fields, config, static i => i % 2 == 0) with
        {
            ScoreSoftcap = fields.OptionalNumber(ScoreCap, whenAbsent: 50),
            LogitsSoftcap = fields.OptionalNumber(LogitsCap, whenAbsent: 30),
        },
        WriteOwn = WriteShared,
    };

    public static LlamaConfig Defaults { get; } = GemmaFamily.Defaults with
    {
        Kind = Kind,
        HiddenSize = 2304,
        IntermediateSize = 9216,
        Layers = 26,
        Heads = 8,
        KeyValueHeads = 4,
        ScoreSoftcap = 50,
        LogitsSoftcap = 30,
    };

    /// <summary>Reads what Gemma 2 and 3 have.</summary>
    /// <param name="fields">The file's fields.</param>
    /// <param name="config">What is read so far.</param>
    /// <param name="slides">Whether a layer has the window where <c>layer_types</c> does not say.</param>
    public static LlamaConfig ReadShared(ModelFields fields, LlamaConfig config, Predicate<int> slides)
    {
        const float DefaultScalar = 256;
        fields.Know("hidden_act", "sliding_window_size"); // HF reads hidden_activation and sliding_window
        var scalar = fields.Number(ScalarField, DefaultScalar);
        if (scalar <= 0)
            fields.Refuse(ScalarField, FormattableString.Invariant($"{scalar}"), "a number over 0");
        var size = LayerTypes.Size(fields, DefaultWindow);
        return GemmaFamily.ReadShared(fields, config) with
        {
            ScoreMultiplier = Math.Pow(scalar, -0.5),
            SlidingWindow = LayerTypes.Read(fields, config.Layers, size, slides),
        };
    }

    /// <summary>Writes it.</summary>
    public static void WriteShared(LlamaConfig config, JsonObject json)
    {
        GemmaFamily.WriteShared(config, json);
        var multiplier = config.ScoreMultiplier ?? 1 / Math.Sqrt(config.HeadSize);
        json[ScalarField] = ConfigText.Exact((float)Math.Round(Math.Pow(multiplier, -2), 3));
        json[ScoreCap] = config.ScoreSoftcap;
        json[LogitsCap] = config.LogitsSoftcap;
        LayerTypes.Write(config.SlidingWindow, config.Layers, json);
    }
}
