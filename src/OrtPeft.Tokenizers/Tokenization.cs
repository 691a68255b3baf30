using System.Collections.Immutable;
using OrtPeft.Tokenizers.Decoders;
using OrtPeft.Tokenizers.Models;
using OrtPeft.Tokenizers.Normalizers;
using OrtPeft.Tokenizers.PreTokenizers;

namespace OrtPeft.Tokenizers;

/// <summary>The parts of a <see cref="PipelineTokenizer"/>, in the order in which text goes through them.</summary>
internal sealed record Tokenization
{
    public ImmutableArray<AddedToken> AddedTokens { get; init; } = [];

    public TextNormalizer? Normalizer { get; init; }

    public PieceSplitter? Splitter { get; init; }

    public required ITokenModel Model { get; init; }

    public TokenDecoder Decoder { get; init; } = TokenDecoders.Apart;

    public TextFrame Frame { get; init; } = TextFrame.None;

    public int? EndOfTextId { get; init; }

    public bool IsSentencePiece { get; init; }
}
