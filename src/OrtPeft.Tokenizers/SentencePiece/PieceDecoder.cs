using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace OrtPeft.Tokenizers.SentencePiece;

/// <summary>SentencePiece's own decoder.</summary>
/// <param name="model">The model.</param>
/// <param name="written">Special tokens, which are written as they are spelled.</param>
internal sealed class PieceDecoder(ModelFile model, FrozenSet<string> written)
{
    private const string Space = " ";
    private const string VisibleSpace = "\u2581";

    private readonly FrozenDictionary<string, PieceKind> _kinds = model.Pieces
        .Where(static p => p.Kind is PieceKind.Control or PieceKind.Unknown or PieceKind.Byte)
        .DistinctBy(static p => p.Text).ToFrozenDictionary(static p => p.Text, static p => p.Kind);

    public List<string> Decode(List<string> tokens)
    {
        var text = new StringBuilder();
        var bytes = new List<byte>();
        var mayLoseSpace = true;
        var lostSpace = false;
        foreach (var token in tokens)
        {
            var kind = written.Contains(token) ? PieceKind.UserDefined : _kinds.GetValueOrDefault(token);
            if (kind == PieceKind.Byte)
            {
                bytes.Add(byte.Parse(token.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
                continue;
            }

            Flush(bytes, text);
            mayLoseSpace &= !lostSpace && text.Length == 0;
            lostSpace = false;
            if (kind == PieceKind.Unknown)
                text.Append(model.UnknownText);
            else if (kind != PieceKind.Control)
                text.Append(Surface(token, mayLoseSpace, out lostSpace));
        }

        Flush(bytes, text);
        return [text.ToString()];
    }

    private string Surface(string piece, bool mayLoseSpace, out bool lostSpace)
    {
        var loses = mayLoseSpace && (model.AddsSpace || model.RemovesSpaces)
            && piece.StartsWith(VisibleSpace, StringComparison.Ordinal);
        // Where extra spaces are removed, all at the beginning go.
        lostSpace = loses && !model.RemovesSpaces;
        return (loses ? piece[VisibleSpace.Length..] : piece).Replace(VisibleSpace, Space, StringComparison.Ordinal);
    }

    /// <summary>Reads a run of bytes as UTF-8; each that does not fit is U+FFFD.</summary>
    private static void Flush(List<byte> bytes, StringBuilder text)
    {
        ReadOnlySpan<byte> rest = bytes.ToArray();
        bytes.Clear();
        while (!rest.IsEmpty)
        {
            var isWhole = Rune.DecodeFromUtf8(rest, out var rune, out var length) == System.Buffers.OperationStatus.Done;
            text.Append(rune.ToString());
            rest = rest[(isWhole ? length : 1)..];
        }
    }
}
