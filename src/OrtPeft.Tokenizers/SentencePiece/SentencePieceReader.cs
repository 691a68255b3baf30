using System.Collections.Frozen;
using OrtPeft.Tokenizers.Models;
using OrtPeft.Tokenizers.Normalizers;
using OrtPeft.Tokenizers.Serialization;

namespace OrtPeft.Tokenizers.SentencePiece;

/// <summary>Makes a tokenizer of a SentencePiece model, with what <c>tokenizer_config.json</c> says of special tokens.</summary>
internal static class SentencePieceReader
{
    public static PipelineTokenizer Read(string file, byte[] bytes, TokenizerConfig config)
    {
        var place = new SourcePlace(file, "the model");
        var model = ModelFile.Read(bytes, place);
        var known = SentencePieceClass.Of(config, place);
        var vocabulary = ReadVocabulary(model, place);
        var userDefined = new AddedTokenTrie(model.Pieces.Index()
            .Where(static p => p.Item.Kind == PieceKind.UserDefined)
            .Select(static p => new AddedToken { Content = p.Item.Text, Id = p.Index }));
        var tokens = model.IsBpe ? Bpe(model, vocabulary, userDefined) : Unigram(model, vocabulary, place);
        var added = ReadAdded(model, tokens, config, known, place);
        int? Find(string token) => added.Find(token) ?? tokens.Find(token);
        var chars = model.CharsMap.Length == 0 ? null : CharsMap.Read(model.CharsMap)
            ?? throw place.Error("its map of characters is broken; restore the file");
        var unknown = model.Pieces[Unknown(model)].Text;
        var written = added.InIdOrder().Select(static t => t.Content).Where(t => t != unknown);
        var decoder = new PieceDecoder(model, written.ToFrozenSet());
        var endOfText = config.FindEndOfText(Find) ?? Find("</s>");
        return new PipelineTokenizer(new Tokenization
        {
            IsSentencePiece = true,
            AddedTokens = added.InIdOrder(),
            Normalizer = new PieceNormalizer(model, chars, userDefined).Apply,
            Model = tokens,
            Decoder = decoder.Decode,
            EndOfTextId = endOfText,
            Frame = known.Frame(config, Find, endOfText),
        });
    }

    private static Vocabulary ReadVocabulary(ModelFile model, SourcePlace place)
    {
        var all = model.Pieces.Index().Select(static p => (p.Item.Text, p.Index, p.Item.Kind)).ToArray();
        var ofText = all.Where(static p => p.Kind is PieceKind.Normal or PieceKind.UserDefined);
        var reserved = all.Where(static p => p.Kind is not (PieceKind.Normal or PieceKind.UserDefined));
        return Vocabulary.Of(ofText.Select(static p => (p.Text, p.Index)), place)
            .WithReserved(reserved.Select(static p => (p.Text, p.Index)));
    }

    private static ITokenModel Bpe(ModelFile model, Vocabulary vocabulary, AddedTokenTrie userDefined)
    {
        // The higher the score, the earlier; pieces of one score are merged from the left.
        float[] scores = [.. model.Pieces.Select(static p => p.Score).Distinct().OrderDescending()];
        var ranks = scores.Index().ToDictionary(static s => s.Item, static s => s.Index);
        var symbols = new BpeSymbols
        {
            Unknown = Unknown(model),
            FusesUnknown = true,
            FallsBackToBytes = model.FallsBackToBytes,
        };
        var merges = PieceMerges.Of(vocabulary.Ids, id => ranks[model.Pieces[id].Score]);
        var bpe = new CharacterBpe(vocabulary, merges, symbols);
        return userDefined.IsEmpty ? bpe : new UserDefinedPieces(bpe, userDefined);
    }

    private static UnigramModel Unigram(ModelFile model, Vocabulary vocabulary, SourcePlace place)
    {
        float[] normal = [.. model.Pieces.Where(static p => p.Kind == PieceKind.Normal).Select(static p => p.Score)];
        // Of what SentencePiece takes for the highest score, above 0 or next to it; a piece of the user's always wins.
        double highest = normal.Append(1.17549435E-38f).Max();
        double[] scores = [.. model.Pieces.Select(p => p.Kind == PieceKind.UserDefined
            ? (System.Text.Encoding.UTF8.GetByteCount(p.Text) * highest) - 0.1
            : p.Score)];
        var settings = new UnigramSettings
        {
            Unknown = Unknown(model),
            FallsBackToBytes = model.FallsBackToBytes,
            LowestScore = normal.DefaultIfEmpty().Min(),
            IsSingle = true,
        };
        return new UnigramModel(vocabulary, scores, settings, place);
    }

    private static int Unknown(ModelFile model) =>
        model.Pieces.Index().First(static p => p.Item.Kind == PieceKind.Unknown).Index;

    private static AddedTokenList ReadAdded(
        ModelFile model, ITokenModel tokens, TokenizerConfig config, SentencePieceClass known, SourcePlace place)
    {
        var added = new AddedTokenList();
        foreach (var (token, at) in config.AddedTokens)
            added.Add(token with { IsNormalized = false }, tokens, at);
        foreach (var (id, piece) in model.Pieces.Index())
        {
            if (piece.Kind is PieceKind.Control or PieceKind.Unknown && added.Find(piece.Text) is null)
                added.Add(new AddedToken { Content = piece.Text, Id = id, IsSpecial = true }, tokens, place);
        }

        foreach (var token in known.Sentinels(config, tokens.Size))
            added.Add(token, tokens, place);
        return added;
    }
}
