using System.Text;
using System.Text.Json.Nodes;

namespace OrtPeft.Models.Checkpoints.Gguf;

/// <summary>
/// Writes HF's <c>tokenizer.json</c> and <c>tokenizer_config.json</c> of a file's metadata: byte-level BPE with the splits
/// that <c>tokenizer.ggml.pre</c> names, or SentencePiece's BPE, whose merges follow from the scores.
/// </summary>
internal static class GgufTokenizer
{
    private const string Space = "▁";
    private const long Control = 3;
    private const long UserDefined = 4;

    /// <summary>The files by name; none, with a note, where the tokenizer is of a kind that is not written.</summary>
    public static IReadOnlyDictionary<string, byte[]> FilesOf(GgufFields fields, out string? note)
    {
        note = null;
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        var tokens = fields.List<string>("tokenizer.ggml.tokens");
        var kind = fields.Text("tokenizer.ggml.model");
        var pre = fields.Text("tokenizer.ggml.pre") ?? "";
        var splits = kind == "gpt2" ? GgufSplits.Of(pre) : null;
        if (tokens is null || (kind != "llama" && splits is null))
        {
            note = $"its tokenizer ({kind ?? "none"}{(pre.Length > 0 ? $", {pre}" : "")}) is not written: put tokenizer.json of HF's "
                + "folder beside the model";
            return files;
        }

        var types = fields.List<long>("tokenizer.ggml.token_type");
        if (types is not null && types.Count != tokens.Count)
            throw fields.Broken($"has {tokens.Count} tokens and {types.Count} of their types");
        if (tokens.Distinct(StringComparer.Ordinal).Count() != tokens.Count)
            throw fields.Broken("has a token twice");
        var model = splits is null ? SentencePiece(fields, tokens) : BytePairs(fields, tokens, splits);
        var tokenizer = new JsonObject
        {
            ["version"] = "1.0",
            ["truncation"] = null,
            ["padding"] = null,
            ["added_tokens"] = Added(tokens, types),
            ["normalizer"] = splits is null ? SpaceNormalizer(fields)
                : splits.Normalizes ? new JsonObject { ["type"] = "NFC" } : null,
            ["pre_tokenizer"] = splits?.PreTokenizer(),
            ["post_processor"] = Template(fields, tokens, splits?.AddsBegin ?? true),
            ["decoder"] = splits is null ? SpaceDecoder(fields) : GgufSplits.ByteLevel(splits: true),
            ["model"] = model,
        };
        files["tokenizer.json"] = Encoding.UTF8.GetBytes(tokenizer.ToJsonString());
        files["tokenizer_config.json"] = Encoding.UTF8.GetBytes(Config(fields, tokens).ToJsonString());
        return files;
    }

    private static JsonObject BytePairs(GgufFields fields, IReadOnlyList<string> tokens, GgufSplits splits) => new()
    {
        ["type"] = "BPE",
        ["dropout"] = null,
        ["unk_token"] = null,
        ["continuing_subword_prefix"] = null,
        ["end_of_word_suffix"] = null,
        ["fuse_unk"] = false,
        ["byte_fallback"] = false,
        ["ignore_merges"] = splits.IgnoresMerges,
        ["vocab"] = Vocabulary(tokens),
        ["merges"] = new JsonArray(
            [.. (fields.List<string>("tokenizer.ggml.merges") ?? throw fields.Broken("lacks tokenizer.ggml.merges"))
                .Select(static m => (JsonNode)m)]),
    };

    /// <summary>Every way of making a token of two others, the best token first, as HF's converter has it.</summary>
    private static JsonObject SentencePiece(GgufFields fields, IReadOnlyList<string> tokens)
    {
        var scores = fields.List<double>("tokenizer.ggml.scores") ?? throw fields.Broken("lacks tokenizer.ggml.scores");
        if (scores.Count != tokens.Count)
            throw fields.Broken($"has {tokens.Count} tokens and {scores.Count} scores");
        var ids = tokens.Select(static (t, i) => (t, i)).ToDictionary(static e => e.t, static e => e.i, StringComparer.Ordinal);
        var merges = new List<(double Score, int Left, int Right)>();
        foreach (var (id, token) in tokens.Index())
        {
            var own = new List<(double Score, int Left, int Right)>();
            for (var i = 1; i < token.Length; i++)
            {
                if (ids.TryGetValue(token[..i], out var left) && ids.TryGetValue(token[i..], out var right))
                    own.Add((scores[id], left, right));
            }

            merges.AddRange(own.OrderBy(static m => m.Left).ThenBy(static m => m.Right));
        }

        return new JsonObject
        {
            ["type"] = "BPE",
            ["dropout"] = null,
            ["unk_token"] = fields.Id("tokenizer.ggml.unknown_token_id") is { } unknown && unknown < tokens.Count ? tokens[unknown] : null,
            ["continuing_subword_prefix"] = null,
            ["end_of_word_suffix"] = null,
            ["fuse_unk"] = true,
            ["byte_fallback"] = true,
            ["ignore_merges"] = false,
            ["vocab"] = Vocabulary(tokens),
            ["merges"] = new JsonArray([.. merges.OrderByDescending(static m => m.Score)
                .Select(m => (JsonNode)new JsonArray(tokens[m.Left], tokens[m.Right]))]),
        };
    }

    private static JsonObject Vocabulary(IReadOnlyList<string> tokens) =>
        new(tokens.Select(static (t, i) => KeyValuePair.Create(t, (JsonNode?)i)));

    private static JsonArray Added(IReadOnlyList<string> tokens, IReadOnlyList<long>? types)
    {
        var added = new JsonArray();
        for (var i = 0; i < (types?.Count ?? 0); i++)
        {
            if (types![i] is not (Control or UserDefined))
                continue;
            added.Add(new JsonObject
            {
                ["id"] = i,
                ["content"] = tokens[i],
                ["single_word"] = false,
                ["lstrip"] = false,
                ["rstrip"] = false,
                ["normalized"] = false,
                ["special"] = types[i] == Control,
            });
        }

        return added;
    }

    private static bool AddsSpace(GgufFields fields) => fields.Flag("tokenizer.ggml.add_space_prefix") ?? true;

    private static JsonNode SpaceNormalizer(GgufFields fields)
    {
        JsonNode replace = new JsonObject
        {
            ["type"] = "Replace",
            ["pattern"] = new JsonObject { ["String"] = " " },
            ["content"] = Space,
        };
        return AddsSpace(fields)
            ? new JsonObject
            {
                ["type"] = "Sequence",
                ["normalizers"] = new JsonArray(new JsonObject { ["type"] = "Prepend", ["prepend"] = Space }, replace),
            }
            : replace;
    }

    private static JsonObject SpaceDecoder(GgufFields fields)
    {
        var steps = new JsonArray(
            new JsonObject { ["type"] = "Replace", ["pattern"] = new JsonObject { ["String"] = Space }, ["content"] = " " },
            new JsonObject { ["type"] = "ByteFallback" },
            new JsonObject { ["type"] = "Fuse" });
        if (AddsSpace(fields))
            steps.Add(new JsonObject { ["type"] = "Strip", ["content"] = " ", ["start"] = 1, ["stop"] = 0 });
        return new JsonObject { ["type"] = "Sequence", ["decoders"] = steps };
    }

    /// <summary>The tokens that go before and after a text.</summary>
    private static JsonObject? Template(GgufFields fields, IReadOnlyList<string> tokens, bool addsBegin)
    {
        var first = fields.Flag("tokenizer.ggml.add_bos_token") ?? addsBegin;
        var last = fields.Flag("tokenizer.ggml.add_eos_token") ?? false;
        var (bos, eos) = (Token(fields, tokens, "bos"), Token(fields, tokens, "eos"));
        var (single, pair, special) = (new JsonArray(), new JsonArray(), new JsonObject());
        Add("A", 0, single, pair);
        Add("B", 1, pair);
        return special.Count == 0 ? null : new JsonObject
        {
            ["type"] = "TemplateProcessing",
            ["single"] = single,
            ["pair"] = pair,
            ["special_tokens"] = special,
        };

        void Add(string sequence, int type, params JsonArray[] templates)
        {
            foreach (var template in templates)
            {
                AddToken(template, first, bos, type, "bos");
                template.Add(new JsonObject { ["Sequence"] = new JsonObject { ["id"] = sequence, ["type_id"] = type } });
                AddToken(template, last, eos, type, "eos");
            }
        }

        void AddToken(JsonArray template, bool isWanted, string? token, int type, string name)
        {
            if (!isWanted || token is null)
                return;
            template.Add(new JsonObject { ["SpecialToken"] = new JsonObject { ["id"] = token, ["type_id"] = type } });
            special[token] = new JsonObject
            {
                ["id"] = token,
                ["ids"] = new JsonArray(fields.Id($"tokenizer.ggml.{name}_token_id")!.Value),
                ["tokens"] = new JsonArray(token),
            };
        }
    }

    private static JsonObject Config(GgufFields fields, IReadOnlyList<string> tokens)
    {
        var json = new JsonObject { ["tokenizer_class"] = "PreTrainedTokenizerFast", ["clean_up_tokenization_spaces"] = false };
        foreach (var (name, key) in (ReadOnlySpan<(string, string)>)
            [("bos_token", "bos"), ("eos_token", "eos"), ("unk_token", "unknown"), ("pad_token", "padding")])
        {
            if (Token(fields, tokens, key) is { } token)
                json[name] = token;
        }

        if (fields.Text("tokenizer.chat_template") is { } template)
            json["chat_template"] = template;
        return json;
    }

    private static string? Token(GgufFields fields, IReadOnlyList<string> tokens, string name)
    {
        var key = $"tokenizer.ggml.{name}_token_id";
        return fields.Id(key) is not { } id ? null
            : id < tokens.Count ? tokens[id]
            : throw fields.Broken($"has {key} {id}, of {tokens.Count} tokens");
    }
}
