using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text;
using OrtPeft.Tokenizers.Alignment;
using OrtPeft.Tokenizers.Models;

namespace OrtPeft.Tokenizers;

/// <summary>
/// A tokenizer made of the components that its files name, as Hugging Face's library has them: added tokens, normalizer,
/// pre-tokenizer, model, decoder. Made by <see cref="TokenizerFolder.Load"/>.
/// </summary>
/// <remarks>Immutable and thread-safe; frequent words are remembered.</remarks>
public sealed class PipelineTokenizer : ITokenizer
{
    private readonly Tokenization _parts;
    private readonly AddedTokenSplitter _raw;
    private readonly AddedTokenSplitter _normalized;
    private readonly FrozenDictionary<int, string> _addedSpellings;
    private readonly FrozenSet<int> _special;

    internal PipelineTokenizer(Tokenization parts)
    {
        _parts = parts;
        AddedToken[] normalized = [.. parts.AddedTokens.Where(static t => t.IsNormalized).Select(Normalized)];
        AddedToken[] raw = [.. parts.AddedTokens.Where(static t => !t.IsNormalized)];
        _raw = new AddedTokenSplitter(raw);
        _normalized = new AddedTokenSplitter([.. normalized.Where(static t => t.Content.Length > 0)]);
        _addedSpellings = raw.Concat(normalized).ToFrozenDictionary(static t => t.Id, static t => t.Content);
        var special = parts.AddedTokens.Where(static t => t.IsSpecial).Select(static t => t.Content).ToHashSet();
        _special = [.. _addedSpellings.Where(t => special.Contains(t.Value)).Select(static t => t.Key)];
        VocabularySize = Math.Max(parts.Model.Size, parts.AddedTokens.Select(static t => t.Id + 1).DefaultIfEmpty().Max());
    }

    /// <inheritdoc/>
    public int VocabularySize { get; }

    /// <inheritdoc/>
    public int? EndOfTextId => _parts.EndOfTextId;

    /// <inheritdoc/>
    public int? BeginOfTextId => Frame.Before is [var first, ..] ? first : null;

    /// <inheritdoc/>
    public TextFrame Frame => _parts.Frame;

    /// <inheritdoc/>
    public bool HasFixedBytes => false;

    /// <summary>Whether it was made of a SentencePiece model alone, which by itself sees no special tokens in text; what
    /// is recognised here is what <c>tokenizer_config.json</c> lists.</summary>
    public bool IsSentencePiece => _parts.IsSentencePiece;

    /// <summary>The tokens matched literally in text, in id order; special tokens are among them.</summary>
    public ImmutableArray<AddedToken> AddedTokens => _parts.AddedTokens;

    /// <inheritdoc/>
    public IReadOnlyList<int> Encode(ReadOnlySpan<char> text) => Encode(text, SpecialTokenHandling.Recognize);

    /// <inheritdoc/>
    public IReadOnlyList<int> Encode(ReadOnlySpan<char> text, SpecialTokenHandling handling) =>
        [.. EncodeSpans(text, handling).Select(static span => span.Id)];

    /// <inheritdoc/>
    public IReadOnlyList<int> EncodeContinuation(ReadOnlySpan<char> text) =>
        [.. Encode(AlignedText.Of(WellFormed(text), goesOn: true), SpecialTokenHandling.Recognize).Select(static s => s.Id)];

    /// <summary>Splits text into tokens that know which part of it they were made of.</summary>
    /// <param name="text">Any UTF-16 text; a lone surrogate counts as U+FFFD.</param>
    /// <param name="handling">How special tokens in the text are taken.</param>
    /// <returns>The tokens in text order, of which the spans may overlap.</returns>
    public IReadOnlyList<TokenSpan> EncodeSpans(ReadOnlySpan<char> text, SpecialTokenHandling handling) =>
        Encode(AlignedText.Of(WellFormed(text)), handling);

    /// <inheritdoc/>
    public string Decode(IEnumerable<int> ids)
    {
        ArgumentNullException.ThrowIfNull(ids);
        return string.Concat(_parts.Decoder([.. ids.Select(FindSpelling).OfType<string>()]));
    }

    /// <summary>The UTF-8 bytes of what one token decodes to by itself; within a text it may be other text.</summary>
    /// <inheritdoc/>
    public ReadOnlySpan<byte> GetBytes(int id) => Encoding.UTF8.GetBytes(Decode([id]));

    /// <inheritdoc/>
    public bool IsSpecial(int id) => _special.Contains(id);

    /// <inheritdoc/>
    public string SpellingOf(int id) => FindSpelling(id) ?? "";

    /// <summary>The id of a token as vocabulary files spell it or of an added token, or <see langword="null"/>.</summary>
    public int? FindId(string token)
    {
        ArgumentNullException.ThrowIfNull(token);
        return _parts.AddedTokens.FirstOrDefault(t => t.Content == token)?.Id ?? _parts.Model.Find(token);
    }

    private List<TokenSpan> Encode(AlignedText whole, SpecialTokenHandling handling)
    {
        var tokens = new List<TokenSpan>();
        foreach (var piece in Cut(_raw, whole, handling))
        {
            if (piece.TokenId is { } id)
                AddWhole(id, piece.Text, tokens);
            else
                EncodeOrdinary(_parts.Normalizer?.Invoke(piece.Text) ?? piece.Text, handling, tokens);
        }

        return tokens;
    }

    private AddedToken Normalized(AddedToken token) => _parts.Normalizer is { } normalizer
        ? token with { Content = normalizer(AlignedText.Of(token.Content)).Text }
        : token;

    private static IEnumerable<Piece> Cut(AddedTokenSplitter splitter, AlignedText text, SpecialTokenHandling handling) =>
        splitter.Split(text.Text, handling).Select(s => new Piece(text.Slice(s.Start, s.End), s.TokenId));

    private void EncodeOrdinary(AlignedText text, SpecialTokenHandling handling, List<TokenSpan> tokens)
    {
        var found = new List<TokenLength>();
        foreach (var piece in Cut(_normalized, text, handling))
        {
            if (piece.TokenId is { } id)
            {
                AddWhole(id, piece.Text, tokens);
                continue;
            }

            foreach (var part in _parts.Splitter?.Invoke(piece.Text) ?? [piece.Text])
            {
                if (part.Text.Length == 0)
                    continue;
                found.Clear();
                _parts.Model.Encode(part.Text, found);
                AddParts(part, found, tokens);
            }
        }
    }

    private static void AddWhole(int id, AlignedText text, List<TokenSpan> tokens)
    {
        var last = text.Text.Length - 1;
        tokens.Add(new TokenSpan(id, text.OriginalStart(0), text.OriginalEnd(last)));
    }

    private static void AddParts(AlignedText text, List<TokenLength> found, List<TokenSpan> tokens)
    {
        var end = 0;
        (int Start, int End) span = (text.OriginalStart(0), text.OriginalEnd(0));
        foreach (var token in found)
        {
            var start = end;
            end = Math.Min(end + token.Length, text.Text.Length);
            if (start < end)
                span = (text.OriginalStart(start), text.OriginalEnd(end - 1));
            tokens.Add(new TokenSpan(token.Id, span.Start, span.End));
        }
    }

    private string? FindSpelling(int id)
    {
        if ((uint)id >= (uint)VocabularySize)
        {
            var message = $"Id {id} is outside the vocabulary of {VocabularySize}; is this the model's own tokenizer?";
            throw new ArgumentOutOfRangeException(nameof(id), id, message);
        }

        return _addedSpellings.GetValueOrDefault(id) ?? _parts.Model.Spelling(id);
    }

    private static string WellFormed(ReadOnlySpan<char> text)
    {
        var units = text.ToArray();
        for (var i = 0; i < units.Length; i++)
        {
            var isPair = char.IsHighSurrogate(units[i]) && i + 1 < units.Length && char.IsLowSurrogate(units[i + 1]);
            if (isPair)
                i++;
            else if (char.IsSurrogate(units[i]))
                units[i] = '\uFFFD';
        }

        return new string(units);
    }
}
