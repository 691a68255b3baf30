using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using OrtPeft.Models.Configuration;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Onnx.Passes;

namespace OrtPeft.Models.Exports;

/// <summary>
/// The <c>genai_config.json</c> by which ONNX Runtime GenAI runs a decoder graph whose keys and values grow by
/// concatenation, as imports and Optimum's exports have them.
/// </summary>
/// <seealso href="https://onnxruntime.ai/docs/genai/reference/config.html">The file's reference.</seealso>
public static partial class GenAiDescription
{
    private const string Any = "decoder";
    private const string Stacked = "gpt2";

    /// <summary>GenAI 0.18's types for decoders of separate keys and values; others run as any decoder.</summary>
    private static readonly string[] Types =
    [
        "ernie4_5", "gemma", "gemma2", "gemma3_text", "granite", "internlm2", "llama", "mistral", "nemotron", "olmo", "phi", "phi3",
        "qwen2", "qwen3", "smollm3",
    ];

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>Describes a model.</summary>
    /// <param name="source">Where the model came from, whose files say what ends a text and how tokens are drawn.</param>
    /// <param name="model">The graph that is written, under the names that its file has.</param>
    /// <param name="endOfTextByTokenizer">The token that ends a text by the tokenizer; null where there is none.</param>
    /// <param name="fileName">The graph's file.</param>
    /// <returns>The text of the file.</returns>
    /// <exception cref="ModelConfigException">GenAI cannot run the graph, or a number is known nowhere.</exception>
    public static string Of(
        ModelSource source, Model model, int? endOfTextByTokenizer, string fileName = ModelSource.ModelFileName)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(model);
        var named = DecoderNaming.Named(model).Graph;
        var caches = Caches(model, named, source.Folder);
        var isStacked = caches[0].Shape!.Rank == 5;
        var (heads, size) = (SizeOf(caches[0], ^3, source.Folder), SizeOf(caches[0], ^1, source.Folder));
        var context = source.ContextLength ?? throw Unknown(source.Folder, "the longest sequence", "max_position_embeddings");
        var ends = Ends(source, endOfTextByTokenizer);
        var described = Fields(source.Folder);
        var allHeads = described?.OptionalCount("num_attention_heads") ?? described?.OptionalCount("n_head") ?? heads;
        var json = new JsonObject
        {
            ["model"] = new JsonObject
            {
                ["type"] = isStacked ? Stacked : TypeOf(source),
                ["vocab_size"] = source.VocabularySize ?? throw Unknown(source.Folder, "the vocabulary's size", "vocab_size"),
                ["context_length"] = context,
                ["bos_token_id"] = source.Config?.BosTokenId ?? ends[0],
                ["eos_token_id"] = ends is [var only] ? only : new JsonArray([.. ends.Select(static e => (JsonNode)e)]),
                ["pad_token_id"] = described?.TokenId("pad_token_id", null) ?? ends[0],
                ["decoder"] = new JsonObject
                {
                    ["session_options"] = new JsonObject { ["log_id"] = "onnxruntime-genai", ["provider_options"] = new JsonArray() },
                    ["filename"] = fileName,
                    ["head_size"] = size,
                    ["hidden_size"] = described?.OptionalCount("hidden_size") ?? described?.OptionalCount("n_embd") ?? allHeads * size,
                    ["num_attention_heads"] = allHeads,
                    ["num_hidden_layers"] = isStacked ? caches.Count : caches.Count / 2,
                    ["num_key_value_heads"] = heads,
                    ["inputs"] = Inputs(model, named, caches),
                    ["outputs"] = Outputs(model, named, caches, source.Folder),
                },
            },
            ["search"] = Search(source.Sampling, context),
        };
        return json.ToJsonString(Indented);
    }

    private static string TypeOf(ModelSource source) =>
        source.Config?.ModelType is { } type && Types.Contains(type) ? type : Any;

    /// <summary>The tokens that the files name, and the tokenizer's own, which ends answers beside them.</summary>
    private static List<int> Ends(ModelSource source, int? ofTokenizer)
    {
        List<int> ends = [.. source.StopTokenIds];
        if (source.EndOfText(ofTokenizer) is { } end && !ends.Contains(end))
            ends.Add(end);
        return ends.Count > 0 ? ends : throw Unknown(source.Folder, "what ends a text", "eos_token_id");
    }

    private static ModelFields? Fields(string folder)
    {
        var path = Path.Combine(folder, ModelFamilies.ConfigFileName);
        if (!File.Exists(path))
            return null;
        var fields = ModelFields.Open(path, isToBuild: false);
        return TextPart.Of(fields) ?? fields;
    }

    private static List<Value> Caches(Model model, Graph named, string folder)
    {
        string[] fed = [DecoderNames.Ids, DecoderNames.Mask, DecoderNames.Positions];
        if (named.Inputs.FirstOrDefault(i => i.Initializer is null && !fed.Contains(i.Name)
            && (!CacheInputs.IsPast(i) || CacheInputs.IsState(i))) is { } other)
        {
            throw new ModelConfigException(
                $"{folder}: GenAI does not feed the input {other}; export the model with ids, mask, positions and growing caches "
                + "alone.");
        }

        var caches = named.Inputs.Index().Where(static i => i.Item.Initializer is null && CacheInputs.IsPast(i.Item))
            .Select(i => model.Graph.Inputs[i.Index]).ToList();
        if (caches.Count == 0)
            throw new ModelConfigException(
                $"{folder}: the graph has no caches of keys and values, which GenAI feeds; export the model with a past.");
        return caches;
    }

    private static int SizeOf(Value cache, Index axis, string folder) => cache.Shape![axis.GetOffset(cache.Shape.Rank)].ToCount()
        ?? throw new ModelConfigException(
            $"{folder}: the cache input {cache} does not state its heads and their size; export the model with both as numbers.");

    private static JsonObject Inputs(Model model, Graph named, List<Value> caches)
    {
        var inputs = new JsonObject();
        foreach (var role in (string[])[DecoderNames.Ids, DecoderNames.Mask, DecoderNames.Positions])
        {
            if (named.Inputs.Index().Where(i => i.Item.Name == role).Select(i => model.Graph.Inputs[i.Index].Name).FirstOrDefault() is { } own)
                inputs[role] = own;
        }

        Add(inputs, "past", [.. caches.Select(static c => c.Name)], caches[0].Shape!.Rank == 5);
        return inputs;
    }

    private static JsonObject Outputs(Model model, Graph named, List<Value> caches, string folder)
    {
        var logits = named.Outputs.Index().Where(static o => o.Item.Name == DecoderNames.Logits)
            .Select(o => model.Graph.Outputs[o.Index].Name).First();
        var presents = model.Graph.Outputs.Select(static o => o.Name).Where(name => name != logits && Number().IsMatch(name)).ToList();
        if (presents.Count != caches.Count)
            throw new ModelConfigException(
                $"{folder}: the graph has {caches.Count} caches as inputs and {presents.Count} as outputs; GenAI needs one for each.");
        var outputs = new JsonObject { [DecoderNames.Logits] = logits };
        Add(outputs, DecoderNames.Present, presents, caches[0].Shape!.Rank == 5);
        return outputs;
    }

    /// <summary>The names of keys and of values with the layer left open.</summary>
    private static void Add(JsonObject json, string kind, IReadOnlyList<string> names, bool isStacked)
    {
        var patterns = names.Select(static n => Number().Replace(n, "%d", 1)).Distinct().ToList();
        if (isStacked)
        {
            json[$"{kind}_names"] = patterns[0];
            return;
        }

        json[$"{kind}_key_names"] = patterns[0];
        json[$"{kind}_value_names"] = patterns[^1];
    }

    private static JsonObject Search(SamplingSettings sampling, int context) => new()
    {
        ["do_sample"] = sampling.DoSample,
        ["early_stopping"] = true,
        ["max_length"] = context,
        ["min_length"] = 0,
        ["num_beams"] = 1,
        ["num_return_sequences"] = 1,
        ["past_present_share_buffer"] = false,
        ["repetition_penalty"] = sampling.RepetitionPenalty ?? 1.0,
        ["temperature"] = sampling.Temperature ?? 1.0,
        ["top_k"] = sampling.TopK ?? 50,
        ["top_p"] = sampling.TopP ?? 1.0,
    };

    private static ModelConfigException Unknown(string folder, string what, string field) =>
        new($"{folder}: {what} is known nowhere; write {field} into {ModelFamilies.ConfigFileName} beside the model.");

    [GeneratedRegex("[0-9]+", RegexOptions.CultureInvariant)]
    private static partial Regex Number();
}
