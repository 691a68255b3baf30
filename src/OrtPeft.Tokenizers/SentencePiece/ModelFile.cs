namespace OrtPeft.Tokenizers.SentencePiece;

/// <summary>The content of a SentencePiece model: pieces, how they are chosen, how text is normalised before.</summary>
/// <seealso href="https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto">The message</seealso>
internal sealed record ModelFile
{
    private const int Unigram = 1;
    private const int Bpe = 2;

    private static readonly string[] ModelTypes = ["0", "unigram", "bpe", "word", "char"];

    public IReadOnlyList<ModelPiece> Pieces { get; private init; } = [];

    /// <summary>Whether the pieces are merged; else the most probable are chosen.</summary>
    public bool IsBpe { get; private init; }

    public bool FallsBackToBytes { get; private init; }

    /// <summary>The text that an unknown piece is decoded to.</summary>
    public string UnknownText { get; private init; } = " \u2047 ";

    /// <summary>Whether the visible space follows words.</summary>
    public bool SpaceIsSuffix { get; private init; }

    /// <summary>The precompiled map of characters; may be empty.</summary>
    public byte[] CharsMap { get; private init; } = [];

    public bool AddsSpace { get; private init; } = true;

    /// <summary>Whether spaces at the ends go and those between words are one.</summary>
    public bool RemovesSpaces { get; private init; } = true;

    public bool ShowsSpaces { get; private init; } = true;

    /// <exception cref="TokenizerFormatException">The bytes are not such a model, or of a kind that is not
    /// read.</exception>
    public static ModelFile Read(ReadOnlySpan<byte> bytes, SourcePlace place)
    {
        var model = new ModelFile();
        var pieces = new List<ModelPiece>();
        var fields = new WireReader(bytes, place);
        while (fields.Read())
        {
            if (fields.Field == 1)
                pieces.Add(ReadPiece(fields.Bytes, place));
            else if (fields.Field == 2)
                model = ReadTrainer(model, fields.Bytes, place);
            else if (fields.Field == 3)
                model = ReadNormalizer(model, fields.Bytes, place);
        }

        if (pieces.Count == 0 || pieces.Count(static p => p.Kind == PieceKind.Unknown) != 1)
            throw place.Error($"SentencePiece's {pieces.Count} pieces have none for unknown text; restore the file");
        return model with { Pieces = pieces };
    }

    private static ModelPiece ReadPiece(ReadOnlySpan<byte> bytes, SourcePlace place)
    {
        var piece = new ModelPiece("", 0, PieceKind.Normal);
        var fields = new WireReader(bytes, place);
        while (fields.Read())
        {
            piece = fields.Field switch
            {
                1 => piece with { Text = fields.Text },
                2 => piece with { Score = fields.Single },
                3 => piece with { Kind = (PieceKind)fields.Int32 },
                _ => piece,
            };
        }

        return piece.Text.Length > 0 && float.IsFinite(piece.Score) && Enum.IsDefined(piece.Kind)
            ? piece
            : throw place.Error("a piece is empty, or its score or kind is none; restore the file");
    }

    private static ModelFile ReadTrainer(ModelFile model, ReadOnlySpan<byte> bytes, SourcePlace place)
    {
        var type = Unigram;
        var fields = new WireReader(bytes, place);
        while (fields.Read())
        {
            if (fields.Field == 3)
                type = fields.Int32;
            model = fields.Field switch
            {
                24 => model with { SpaceIsSuffix = fields.Flag },
                35 => model with { FallsBackToBytes = fields.Flag },
                44 => model with { UnknownText = fields.Text },
                _ => model,
            };
        }

        if (type is not (Unigram or Bpe))
        {
            var name = (uint)type < (uint)ModelTypes.Length ? ModelTypes[type] : $"{type}";
            throw place.Error($"SentencePiece's model type {name} is not read; unigram and bpe are");
        }

        return model with { IsBpe = type == Bpe };
    }

    private static ModelFile ReadNormalizer(ModelFile model, ReadOnlySpan<byte> bytes, SourcePlace place)
    {
        var fields = new WireReader(bytes, place);
        while (fields.Read())
        {
            model = fields.Field switch
            {
                2 => model with { CharsMap = fields.Bytes.ToArray() },
                3 => model with { AddsSpace = fields.Flag },
                4 => model with { RemovesSpaces = fields.Flag },
                5 => model with { ShowsSpaces = fields.Flag },
                _ => model,
            };
        }

        return model;
    }
}
