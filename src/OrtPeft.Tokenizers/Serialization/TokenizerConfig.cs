using System.Globalization;
using OrtPeft.Tokenizers.Json;
using OrtPeft.Tokenizers.Normalizers;

namespace OrtPeft.Tokenizers.Serialization;

/// <summary>
/// The two optional files beside a vocabulary, <c>tokenizer_config.json</c> and <c>special_tokens_map.json</c>.
/// </summary>
internal sealed class TokenizerConfig
{
    private const string EndOfTextRole = "eos_token";

    private static readonly string[] Roles = [EndOfTextRole, "bos_token", "unk_token", "pad_token"];

    private readonly Dictionary<string, (string Content, SourcePlace Place)> _roles = [];
    private readonly List<(AddedToken Token, SourcePlace Place)> _addedTokens = [];

    private TokenizerConfig()
    {
    }

    public bool AddsPrefixSpace { get; private set; }

    /// <summary>Whether a token is put before every text (<c>add_bos_token</c>), where a file says so.</summary>
    public bool? AddsBegin { get; private set; }

    /// <summary>Whether a token is put after every text (<c>add_eos_token</c>), where a file says so.</summary>
    public bool? AddsEnd { get; private set; }

    /// <summary>How many sentinels T5 has (<c>extra_ids</c>), where a file says so.</summary>
    public int? Sentinels { get; private set; }

    /// <summary>How BERT's slow class cleans text.</summary>
    public BertNormalizer Bert { get; private set; } = new();

    /// <summary>HF's class of the tokenizer, where a file names it.</summary>
    public string? TokenizerClass { get; private set; }

    /// <summary>Tokens of <c>added_tokens_decoder</c>, in file order.</summary>
    public IReadOnlyList<(AddedToken Token, SourcePlace Place)> AddedTokens => _addedTokens;

    /// <summary>The tokens that have a role, such as <c>eos_token</c>, with the place that names them.</summary>
    public IEnumerable<(string Content, SourcePlace Place)> RoleTokens => _roles.Values;

    /// <summary>The spelling of the token that has a role, or null.</summary>
    public string? RoleOf(string role) => _roles.TryGetValue(role, out var named) ? named.Content : null;

    public static TokenizerConfig Read(string folder)
    {
        var config = new TokenizerConfig();
        config.ReadIfPresent(Path.Combine(folder, FileNames.Config));
        config.ReadIfPresent(Path.Combine(folder, FileNames.SpecialTokensMap));
        return config;
    }

    /// <summary>The named end of text, else what a post-processor puts after every text, else GPT-2's where the
    /// vocabulary has it.</summary>
    public int? FindEndOfText(Func<string, int?> find, TextFrame? frame = null)
    {
        if (!_roles.TryGetValue(EndOfTextRole, out var named))
            return frame?.After is [var last] ? last : find(FileNames.Gpt2EndOfText);
        var shown = TokenizerFormatException.Quote(named.Content);
        return find(named.Content)
            ?? throw named.Place.Error($"{shown} is not in the vocabulary; name one of its tokens");
    }

    private void ReadIfPresent(string file)
    {
        if (File.Exists(file))
            TextFile.ReadJson(file, ReadFields);
    }

    private bool ReadFields(JsonField root)
    {
        foreach (var role in Roles)
        {
            if (root.Find(role) is { } field)
                _roles.TryAdd(role, ((field.IsObject ? field.Get("content") : field).AsString(), field.Place));
        }

        AddsPrefixSpace |= root.Find("add_prefix_space")?.AsBoolean() ?? false;
        Bert = Bert with
        {
            Lowercases = root.Find("do_lower_case")?.AsBoolean() ?? Bert.Lowercases,
            SpacesIdeographs = root.Find("tokenize_chinese_chars")?.AsBoolean() ?? Bert.SpacesIdeographs,
            StripsAccents = root.Find("strip_accents")?.AsBoolean() ?? Bert.StripsAccents,
        };
        AddsBegin ??= root.Find("add_bos_token")?.AsBoolean();
        AddsEnd ??= root.Find("add_eos_token")?.AsBoolean();
        Sentinels ??= root.Find("extra_ids")?.AsCount();
        TokenizerClass ??= root.Find("tokenizer_class")?.AsString();
        if (root.Find("added_tokens_decoder") is { } added)
            ReadAddedTokens(added);
        return true;
    }

    private void ReadAddedTokens(JsonField added)
    {
        foreach (var (name, field) in added.Members())
        {
            if (!int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var id))
                throw field.Place.Error($"{TokenizerFormatException.Quote(name)} is not an id");
            _addedTokens.Add((AddedTokenReader.Read(field, id), field.Place));
        }
    }
}
