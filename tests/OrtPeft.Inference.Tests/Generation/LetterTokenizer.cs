using OrtPeft.Tokenizers;

namespace OrtPeft.Inference.Tests.Generation;

/// <summary>One token per printable ASCII character, then the two bytes of é, then the end of text.</summary>
internal sealed class LetterTokenizer : ITokenizer
{
    public const int FirstByteOfE = 95;
    public const int SecondByteOfE = 96;

    public int VocabularySize => 98;

    public int? EndOfTextId { get; init; }

    public int? BeginOfTextId { get; init; }

    public IReadOnlyList<int> Encode(ReadOnlySpan<char> text) => [.. text.ToArray().Select(static c => c - ' ')];

    public string Decode(IEnumerable<int> ids) => string.Concat(ids);

    public ReadOnlySpan<byte> GetBytes(int id) => id switch
    {
        FirstByteOfE => [0xC3],
        SecondByteOfE => [0xA9],
        97 => "<end>"u8,
        _ => new[] { (byte)(id + ' ') },
    };
}
