using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using OrtPeft.Inference.Generation;
using OrtPeft.Models;
using OrtPeft.Text;

namespace OrtPeft.Cli.Options;

/// <summary>How tokens are chosen; what is not given is the model's, else <see cref="GenerationOptions"/>'s.</summary>
internal sealed class SamplingOptions : IOptionGroup
{
    private static readonly GenerationOptions Defaults = new();

    private readonly Option<int> _maxNewTokens = NumberOption.Of(
        "--max-new-tokens", "Maximum number of tokens to generate.", "N", Defaults.MaxNewTokens);

    private readonly Option<double?> _temperature = NumberOption.Optional<double>(
        "--temperature",
        "Sampling temperature: below 1 sharpens, above 1 flattens, 0 is greedy. "
        + "[default: the model's generation_config.json, else greedy]",
        "T");

    private readonly Option<int?> _topK = NumberOption.Optional<int>(
        "--top-k", "Sample from the K most likely tokens; 0 means no limit.", "K");

    private readonly Option<double?> _topP = NumberOption.Optional<double>(
        "--top-p", "Nucleus sampling: sample from the smallest set of tokens that has this probability, 0 to 1.", "P");

    private readonly Option<double?> _minP = NumberOption.Optional<double>(
        "--min-p", "Sample from tokens at least this fraction as likely as the most likely one, 0 to 1.", "P");

    private readonly Option<double?> _typicalP = NumberOption.Optional<double>(
        "--typical-p", "Sample from the most typical tokens that together have this probability, up to 1.", "P");

    private readonly Option<double> _repetitionPenalty = NumberOption.Of(
        "--repetition-penalty",
        "Above 1: make tokens that occurred already less likely.",
        "X",
        Defaults.RepetitionPenalty);

    private readonly Option<double> _presencePenalty = NumberOption.Of(
        "--presence-penalty",
        "Subtracted from the logits of tokens that the answer already contains.",
        "X",
        Defaults.PresencePenalty);

    private readonly Option<double> _frequencyPenalty = NumberOption.Of(
        "--frequency-penalty",
        "Subtracted from the logits of tokens for each time that the answer already contains them.",
        "X",
        Defaults.FrequencyPenalty);

    private readonly Option<long> _seed = NumberOption.Of("--seed", "Random seed.", "N", Defaults.Seed);

    public IEnumerable<Option> Options =>
    [
        _maxNewTokens, _temperature, _topK, _topP, _minP, _typicalP, _repetitionPenalty, _presencePenalty,
        _frequencyPenalty, _seed,
    ];

    /// <summary>Checks what can be checked before the model is opened.</summary>
    /// <exception cref="ArgumentException">An option leaves its range.</exception>
    public void Check(Invocation run) => Given(run).Validate();

    /// <summary>The options, and in words what the model's own settings add to them.</summary>
    /// <param name="run">What the user gave.</param>
    /// <param name="settings">The model's settings.</param>
    public (GenerationOptions Options, string? FromModel) Read(Invocation run, SamplingSettings settings)
    {
        var given = Given(run);
        var options = given.WithDefaults(settings);
        if (run.Has(_repetitionPenalty))
            options = options with { RepetitionPenalty = given.RepetitionPenalty };
        return (options, Added(given, options));
    }

    private GenerationOptions Given(Invocation run) => Defaults with
    {
        MaxNewTokens = run.Get(_maxNewTokens),
        Temperature = run.Get(_temperature),
        TopK = run.Get(_topK),
        TopP = run.Get(_topP),
        MinP = run.Get(_minP),
        TypicalP = run.Get(_typicalP),
        RepetitionPenalty = run.Get(_repetitionPenalty),
        PresencePenalty = run.Get(_presencePenalty),
        FrequencyPenalty = run.Get(_frequencyPenalty),
        Seed = run.Get(_seed),
    };

    /// <summary>The settings that decide on each token, for JSON.</summary>
    public static JsonObject ToJson(GenerationOptions options)
    {
        var json = new JsonObject { ["do_sample"] = !options.IsGreedy };
        foreach (var (name, value) in options.IsGreedy ? [] : Limits(options))
            json[name] = value;
        json["repetition_penalty"] = options.RepetitionPenalty;
        json["presence_penalty"] = options.PresencePenalty;
        json["frequency_penalty"] = options.FrequencyPenalty;
        return json;
    }

    private static (string Name, double? Value)[] Limits(GenerationOptions options) =>
    [
        ("temperature", options.Temperature ?? 1),
        ("top_k", options.TopK),
        ("top_p", options.TopP),
        ("min_p", options.MinP),
        ("typical_p", options.TypicalP),
    ];

    private static string? Added(GenerationOptions given, GenerationOptions options)
    {
        (string Name, double? Given, double? Now)[] settings =
        [
            ("temperature", given.Temperature, options.Temperature),
            ("top_k", given.TopK, options.TopK),
            ("top_p", given.TopP, options.TopP),
            ("min_p", given.MinP, options.MinP),
            ("typical_p", given.TypicalP, options.TypicalP),
            ("repetition_penalty", given.RepetitionPenalty, options.RepetitionPenalty),
        ];
        var added = string.Join(", ", settings.Where(static s => s.Given != s.Now)
            .Select(static s => string.Create(CultureInfo.InvariantCulture, $"{s.Name} {s.Now}")));
        return added.Length == 0 ? null : added;
    }
}
