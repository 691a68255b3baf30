using System.Text.Json;
using OrtPeft.Inference.Generation;
using OrtPeft.Models;
using OrtPeft.Serving;
using OrtPeft.Text;

namespace OrtPeft.Server;

/// <summary>The common part of chat and completion requests.</summary>
/// <param name="Model">The adapter's name, or the model's.</param>
/// <param name="Options">How tokens are chosen.</param>
/// <param name="Stops">Texts before which answers end.</param>
/// <param name="Count">How many answers.</param>
/// <param name="IsStreamed">Whether pieces are sent as they come.</param>
/// <param name="WantsUsage">Whether a stream ends with the counts.</param>
internal sealed record Sampling(
    string Model, GenerationOptions Options, IReadOnlyList<string> Stops, int Count, bool IsStreamed, bool WantsUsage)
{
    private const int MostAnswers = 128;

    private static readonly string[] Labels =
        ["user", "metadata", "safety_identifier", "prompt_cache_key", "store", "service_tier"];

    /// <summary>Reads them.</summary>
    public static Sampling Of(Fields fields, ServerOptions server, SamplingSettings settings)
    {
        var given = fields.Text("model") ?? throw ApiException.Field("model", "missing; name a model of /v1/models.");
        fields.Ignore(Labels);
        fields.Only("logit_bias", static v => v is { ValueKind: JsonValueKind.Object } && !v.EnumerateObject().Any(),
            "biases on tokens are not supported; leave it out.");
        var stream = fields.Flag("stream") ?? false;
        var wantsUsage = false;
        if (fields.Get("stream_options") is { } streamOptions)
        {
            if (!stream)
                throw ApiException.Field("stream_options", "only for streams; set stream to true.");
            var of = new Fields(streamOptions, "stream_options.");
            wantsUsage = of.Flag("include_usage") ?? false;
            of.Only("include_obfuscation", static v => v.ValueKind == JsonValueKind.False, "obfuscation is not supported.");
            of.End();
        }

        return new Sampling(
            given, OptionsOf(fields, server, settings), StopsOf(fields), (int)(fields.Whole("n", 1, MostAnswers) ?? 1),
            stream, wantsUsage);
    }

    private static GenerationOptions OptionsOf(Fields fields, ServerOptions server, SamplingSettings settings)
    {
        var limit = fields.Whole("max_completion_tokens", 1, int.MaxValue);
        var older = fields.Whole("max_tokens", 1, int.MaxValue);
        if (limit is not null && older is not null && limit != older)
            throw ApiException.Field("max_tokens", "differs from max_completion_tokens; give one of them.");
        var most = limit ?? older ?? server.MaxTokens;
        if (most > server.MaxTokens)
        {
            throw ApiException.Field(
                limit is null ? "max_tokens" : "max_completion_tokens",
                $"{most} is more than the {server.MaxTokens} that this server allows.");
        }

        var options = new GenerationOptions
        {
            MaxNewTokens = (int)most,
            Temperature = fields.Number("temperature", 0, 2),
            TopP = fields.Number("top_p", 0, 1),
            TopK = (int?)fields.Whole("top_k", 0, int.MaxValue),
            MinP = fields.Number("min_p", 0, 1),
            PresencePenalty = fields.Number("presence_penalty", -2, 2) ?? 0,
            FrequencyPenalty = fields.Number("frequency_penalty", -2, 2) ?? 0,
            RepetitionPenalty = fields.Number("repetition_penalty", 0.01, 100) ?? 1,
            Seed = fields.Whole("seed", long.MinValue, long.MaxValue) ?? FreshSeed.Next(),
        };
        return options.WithDefaults(settings);
    }

    private static string[] StopsOf(Fields fields)
    {
        string[] stops = fields.Get("stop") switch
        {
            null => [],
            { ValueKind: JsonValueKind.String } text => [text.GetString()!],
            { ValueKind: JsonValueKind.Array } texts when texts.GetArrayLength() <= 16
                && texts.EnumerateArray().All(static t => t.ValueKind == JsonValueKind.String)
                => [.. texts.EnumerateArray().Select(static t => t.GetString()!)],
            _ => throw ApiException.Field("stop", "expected a string, or an array of at most 16."),
        };
        return stops.Any(static s => s.Length == 0)
            ? throw ApiException.Field("stop", "a stop text is empty; it would end every answer.")
            : stops;
    }
}
