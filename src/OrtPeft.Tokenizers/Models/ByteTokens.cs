using System.Text;

namespace OrtPeft.Tokenizers.Models;

/// <summary>The tokens <c>&lt;0x00&gt;</c> to <c>&lt;0xFF&gt;</c> that stand for bytes of what the vocabulary lacks.</summary>
internal sealed class ByteTokens(Vocabulary vocabulary)
{
    private readonly int?[] _ids =
        [.. Enumerable.Range(0, 256).Select(b => vocabulary.FindAny($"<0x{b:X2}>"))];

    /// <summary>Appends the bytes of a text; false, and nothing appended, where one of them has no token.</summary>
    public bool TryEncode(ReadOnlySpan<char> text, List<TokenLength> output)
    {
        var bytes = text.Length <= 64 ? stackalloc byte[192] : new byte[Encoding.UTF8.GetMaxByteCount(text.Length)];
        bytes = bytes[..Encoding.UTF8.GetBytes(text, bytes)];
        foreach (var b in bytes)
        {
            if (_ids[b] is null)
                return false;
        }

        var length = text.Length;
        foreach (var b in bytes)
        {
            output.Add(new TokenLength(_ids[b]!.Value, length));
            length = 0;
        }

        return true;
    }
}
