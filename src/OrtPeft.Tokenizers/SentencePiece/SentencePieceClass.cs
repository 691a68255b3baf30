using OrtPeft.Tokenizers.Serialization;

namespace OrtPeft.Tokenizers.SentencePiece;

/// <summary>The additions that a tokenizer's class in the transformers library makes to a SentencePiece model.</summary>
internal sealed record SentencePieceClass
{
    private const int DefaultSentinels = 100;

    /// <summary>Classes whose ids are not the model's: they renumber the pieces or put others before them.</summary>
    private static readonly string[] Renumbering =
    [
        "BarthezTokenizer", "CamembertTokenizer", "DebertaV2Tokenizer", "M2M100Tokenizer", "MBart50Tokenizer",
        "MBartTokenizer", "MarianTokenizer", "NllbTokenizer", "PegasusTokenizer", "PLBartTokenizer",
        "Speech2TextTokenizer", "XGLMTokenizer", "XLMRobertaTokenizer",
    ];

    private bool AddsBegin { get; init; }

    private bool AddsEnd { get; init; }

    private bool HasSentinels { get; init; }

    /// <exception cref="TokenizerFormatException">The class has other ids than the model.</exception>
    public static SentencePieceClass Of(TokenizerConfig config, SourcePlace place)
    {
        var name = config.TokenizerClass ?? "";
        if (name.EndsWith("Fast", StringComparison.Ordinal))
            name = name[..^4];
        if (Renumbering.Contains(name))
        {
            throw place.Error($"{name} gives the pieces other ids than the model; "
                + "save the tokenizer with its library, so that tokenizer.json is there");
        }

        return name switch
        {
            "LlamaTokenizer" or "CodeLlamaTokenizer" or "GemmaTokenizer" => new SentencePieceClass { AddsBegin = true },
            "T5Tokenizer" or "MT5Tokenizer" => new SentencePieceClass { AddsEnd = true, HasSentinels = true },
            _ => new SentencePieceClass(),
        };
    }

    /// <summary>The tokens around a text, where the configuration does not say otherwise.</summary>
    public TextFrame Frame(TokenizerConfig config, Func<string, int?> find, int? endOfText)
    {
        var begin = find(config.RoleOf("bos_token") ?? "<s>") ?? find("<bos>");
        var hasBegin = config.AddsBegin ?? AddsBegin;
        var hasEnd = config.AddsEnd ?? AddsEnd;
        return new TextFrame(
            hasBegin && begin is { } first ? [first] : [], hasEnd && endOfText is { } last ? [last] : []);
    }

    /// <summary>T5's <c>&lt;extra_id_0&gt;</c> and so on, from the highest id down, where no file lists them.</summary>
    public IEnumerable<AddedToken> Sentinels(TokenizerConfig config, int size)
    {
        if (!HasSentinels || config.AddedTokens.Count > 0)
            return [];
        var count = config.Sentinels ?? DefaultSentinels;
        return Enumerable.Range(0, count).Select(i => new AddedToken
        {
            Content = $"<extra_id_{i}>",
            Id = size + count - 1 - i,
            IsSpecial = true,
        });
    }
}
