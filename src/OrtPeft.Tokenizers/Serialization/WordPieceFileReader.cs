using OrtPeft.Tokenizers.Decoders;
using OrtPeft.Tokenizers.Models;
using OrtPeft.Tokenizers.PreTokenizers;

namespace OrtPeft.Tokenizers.Serialization;

/// <summary>Makes BERT's tokenizer of <c>vocab.txt</c>, a token a line, as the transformers library's slow class has it.</summary>
internal static class WordPieceFileReader
{
    private static readonly string[] Classes =
    [
        "BertTokenizer", "ConvBertTokenizer", "DistilBertTokenizer", "ElectraTokenizer", "FunnelTokenizer",
        "LayoutLMTokenizer", "LxmertTokenizer", "MobileBertTokenizer", "RetriBertTokenizer", "SqueezeBertTokenizer",
    ];

    public static PipelineTokenizer Read(string file, TokenizerConfig config)
    {
        var place = new SourcePlace(file, "the vocabulary");
        var name = config.TokenizerClass ?? Classes[0];
        if (!Classes.Contains(name.EndsWith("Fast", StringComparison.Ordinal) ? name[..^4] : name))
            throw place.Error($"{name} of {FileNames.WordPieces} is not read; save it so that tokenizer.json is there");
        var lines = TextFile.ReadText(file).Split('\n');
        var tokens = lines.Select(static line => line.TrimEnd()).Index().Select(static l => (l.Item, l.Index));
        var endsWithLine = lines[^1].Length == 0;
        var vocabulary = Vocabulary.Of(endsWithLine ? tokens.SkipLast(1) : tokens, place);
        var unknown = config.RoleOf("unk_token") ?? "[UNK]";
        var model = new WordPieceModel(vocabulary, place) { Unknown = unknown, Prefix = "##", LongestWord = 100 };
        var added = ReadAdded(config, model, place);
        int? Find(string token) => added.Find(token) ?? model.Find(token);
        return new PipelineTokenizer(new Tokenization
        {
            AddedTokens = added.InIdOrder(),
            Normalizer = config.Bert.Apply,
            Splitter = PieceSplitterReader.Bert,
            Model = model,
            Decoder = TokenDecoders.WordPiece("##", cleansUp: true),
            Frame = Find("[CLS]") is { } begin && Find("[SEP]") is { } end ? new TextFrame([begin], [end]) : TextFrame.None,
            EndOfTextId = config.FindEndOfText(Find),
        });
    }

    private static AddedTokenList ReadAdded(TokenizerConfig config, WordPieceModel model, SourcePlace place)
    {
        var added = new AddedTokenList();
        foreach (var (token, at) in config.AddedTokens)
            added.Add(token, model, at);
        foreach (var role in (string[])["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
        {
            if (added.Find(role) is null && model.Find(role) is { } id)
                added.Add(new AddedToken { Content = role, Id = id, IsSpecial = true }, model, place);
        }

        return added;
    }
}
