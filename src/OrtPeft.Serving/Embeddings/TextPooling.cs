using System.Text.Json;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Serving.Embeddings;

/// <summary>How a folder of sentence-transformers makes one vector of a text's last hidden states.</summary>
/// <seealso href="https://sbert.net/docs/package_reference/sentence_transformer/models.html"/>
internal sealed record TextPooling
{
    /// <summary>Lists the steps from a text to its vector.</summary>
    private const string ModulesFile = "modules.json";

    /// <summary>Says how hidden states are pooled, in the folder that <see cref="ModulesFile"/> names; usually
    /// this.</summary>
    public const string PoolingFile = "1_Pooling/config.json";

    private const string SettingsFile = "config_sentence_transformers.json";
    private const string TransformerFile = "sentence_bert_config.json";

    private static readonly string[] PoolingFields =
        ["pooling_mode", "embedding_dimension", "word_embedding_dimension", "include_prompt"];

    /// <summary>Names of <see cref="HiddenPool.Modes"/>, one or more, whose vectors are put side by side.</summary>
    public required IReadOnlyList<string> Modes { get; init; }

    /// <summary>Whether vectors have the length 1.</summary>
    public bool IsNormalized { get; init; }

    /// <summary>The hidden states' width that the folder states; null where it does not.</summary>
    public int? Width { get; init; }

    /// <summary>The most tokens of a text; null where the folder sets no limit.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>The words put before every text; empty for none.</summary>
    public string Prompt { get; init; } = "";

    /// <summary>Reads a folder's files.</summary>
    /// <param name="folder">The model's folder.</param>
    /// <param name="why">Why there are none that can be followed, and what to do; null where there are.</param>
    /// <returns>How; null where the folder does not say, or in a way that cannot be followed.</returns>
    public static TextPooling? TryLoad(string folder, out string? why)
    {
        why = $"The model has no {ModulesFile}, which says how hidden states are pooled; serve a model for embeddings, or put "
            + $"sentence-transformers' {ModulesFile} and {PoolingFile} beside it.";
        if (!IsDescribedIn(folder))
            return null;
        try
        {
            var pooling = Read(folder, ModulesFile, json => OfModules(folder, json));
            if (File.Exists(Path.Combine(folder, TransformerFile)))
                pooling = Read(folder, TransformerFile, json => WithTransformer(pooling, json));
            if (File.Exists(Path.Combine(folder, SettingsFile)))
                pooling = Read(folder, SettingsFile, json => WithSettings(pooling, json));
            why = null;
            return pooling;
        }
        catch (NotSupportedException e)
        {
            why = e.Message;
            return null;
        }
    }

    /// <summary>Whether a folder says that it is one of sentence-transformers.</summary>
    public static bool IsDescribedIn(string folder) => File.Exists(Path.Combine(folder, ModulesFile));

    private static TextPooling OfModules(string folder, JsonElement modules)
    {
        TextPooling? pooling = null;
        foreach (var (index, module) in modules.EnumerateArray().Index())
        {
            var kind = module.GetProperty("type").GetString()!.Split('.')[^1];
            var path = module.GetProperty("path").GetString()!;
            pooling = (kind, index, pooling) switch
            {
                ("Transformer", 0, null) when path.Length == 0 => null,
                ("Pooling", 1, null) when IsPlain(path) => Read(folder, $"{path}/config.json", OfPooling),
                ("Normalize", 2, { } known) => known with { IsNormalized = true },
                _ => throw new FormatException(
                    $"the module {index}, a {kind} in '{path}', cannot be followed; known are a Transformer in '', a Pooling and a "
                    + "Normalize, in this order"),
            };
        }

        return pooling ?? throw new FormatException("it names no Pooling");
    }

    private static bool IsPlain(string path) =>
        path.Length > 0 && path.All(static c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-');

    private static TextPooling OfPooling(JsonElement json)
    {
        foreach (var field in json.EnumerateObject())
        {
            if (!PoolingFields.Contains(field.Name) && !HiddenPool.Modes.Any(m => m.Flag == field.Name))
                throw new FormatException($"the field {field.Name} is not known");
        }

        if (json.TryGetProperty("include_prompt", out var includes) && !includes.GetBoolean())
            throw new FormatException("include_prompt is false, and prompts cannot be left out of the pooling");
        var modes = ModesOf(json);
        if (modes.FirstOrDefault(static m => HiddenPool.Modes.All(known => known.Name != m)) is { } other)
        {
            throw new FormatException(
                $"the mode '{other}' is not known; known are {string.Join(", ", HiddenPool.Modes.Select(static m => m.Name))}");
        }

        return new TextPooling
        {
            Modes = modes,
            Width = json.TryGetProperty("embedding_dimension", out var width)
                || json.TryGetProperty("word_embedding_dimension", out width) ? width.GetInt32() : null,
        };
    }

    /// <summary>Several are put side by side in the order given; those that older files set by flags, in a fixed
    /// order.</summary>
    private static string[] ModesOf(JsonElement json)
    {
        if (json.TryGetProperty("pooling_mode", out var given))
        {
            string[] named = given.ValueKind == JsonValueKind.Array
                ? [.. given.EnumerateArray().Select(static m => m.GetString()!)]
                : [given.GetString()!];
            return named.Length == 0 ? throw new FormatException("pooling_mode is empty") : named;
        }

        string[] set = [.. HiddenPool.Modes.Where(m => json.TryGetProperty(m.Flag, out var flag) && flag.GetBoolean())
            .Select(static m => m.Name)];
        // sentence-transformers' own default counts only where no flag stands in the file.
        if (set.Length == 0 && HiddenPool.Modes.Any(m => json.TryGetProperty(m.Flag, out _)))
            throw new FormatException("no mode is true");
        return set.Length == 0 ? ["mean"] : set;
    }

    private static TextPooling WithTransformer(TextPooling pooling, JsonElement json)
    {
        foreach (var field in json.EnumerateObject())
        {
            var value = field.Value;
            switch (field.Name)
            {
                case "max_seq_length":
                    pooling = pooling with { MaxTokens = value.ValueKind == JsonValueKind.Null ? null : value.GetInt32() };
                    break;
                case "do_lower_case" when value.ValueKind == JsonValueKind.False:
                case "transformer_task" when value.GetString() == "feature-extraction":
                case "module_output_name" when value.GetString() == "token_embeddings":
                case "modality_config" when value.GetProperty("text").GetProperty("method").GetString() == "forward"
                    && value.GetProperty("text").GetProperty("method_output_name").GetString() == "last_hidden_state":
                case "unpad_inputs" or "model_args" or "model_kwargs" or "tokenizer_args" or "config_args" or "config_kwargs":
                    break;
                default:
                    throw new FormatException($"{field.Name} is {value.GetRawText()}, which cannot be followed");
            }
        }

        return pooling;
    }

    private static TextPooling WithSettings(TextPooling pooling, JsonElement json) =>
        json.TryGetProperty("default_prompt_name", out var name) && name.ValueKind != JsonValueKind.Null
            ? pooling with { Prompt = json.GetProperty("prompts").GetProperty(name.GetString()!).GetString()! }
            : pooling;

    private static T Read<T>(string folder, string name, Func<JsonElement, T> of)
    {
        try
        {
            using var document = JsonDocument.Parse(InputFile.ReadAllBytes(Path.Combine(folder, name)));
            return of(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException
            or ArgumentException or NullReferenceException or IOException or UnauthorizedAccessException)
        {
            var what = e switch
            {
                FormatException => e.Message.TrimEnd('.'),
                IOException or UnauthorizedAccessException => "it cannot be read",
                JsonException => "it is not JSON",
                _ => "it is not in the form of sentence-transformers",
            };
            throw new NotSupportedException($"{name}: {what}; the model serves no embeddings.", e);
        }
    }
}
