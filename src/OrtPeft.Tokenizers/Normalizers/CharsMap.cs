using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using OrtPeft.Tokenizers.Alignment;
using OrtPeft.Tokenizers.Unicode;

namespace OrtPeft.Tokenizers.Normalizers;

/// <summary>
/// SentencePiece's precompiled map of character sequences: a double-array trie, then the texts that its leaves point at.
/// Nothing in it is trusted: a position outside ends the search.
/// </summary>
internal sealed class CharsMap
{
    /// <summary>Hugging Face looks up clusters of fewer bytes than this whole, longer ones by character.</summary>
    private const int LongCluster = 6;

    private readonly uint[] _trie;
    private readonly byte[] _texts;

    private CharsMap(uint[] trie, byte[] texts)
    {
        _trie = trie;
        _texts = texts;
    }

    /// <summary>Reads the map, or gives null where the sizes in it contradict each other.</summary>
    public static CharsMap? Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 4)
            return null;
        var size = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        if (size % 4 != 0 || size > bytes.Length - 4)
            return null;
        var trie = new uint[size / 4];
        for (var i = 0; i < trie.Length; i++)
            trie[i] = BinaryPrimitives.ReadUInt32LittleEndian(bytes[(4 + (4 * i))..]);
        return new CharsMap(trie, bytes[(4 + (int)size)..].ToArray());
    }

    /// <summary>As Hugging Face: cluster by cluster; a short cluster is replaced whole by what its shortest prefix
    /// maps to.</summary>
    public AlignedText Apply(AlignedText text)
    {
        var from = new CodePoints(text.Text);
        var points = new List<(int, int)>(from.Codes.Length);
        var point = 0;
        for (var unit = 0; unit < text.Text.Length;)
        {
            var cluster = text.Text.AsSpan(unit);
            cluster = cluster[..StringInfo.GetNextTextElementLength(cluster)];
            unit += cluster.Length;
            var isShort = Encoding.UTF8.GetByteCount(cluster) < LongCluster;
            var whole = isShort ? Find(cluster, longest: false, out _) : null;
            if (whole is not null)
                points.AddRange(new CodePoints(whole).Codes.Index().Select(c => (c.Item, Source(point, c.Index, unit))));
            for (; from.Units[point] < unit; point++)
            {
                if (whole is null)
                    AddPoint(from, point, points);
            }
        }

        return text.With(from, points);

        int Source(int first, int index, int end)
        {
            var at = first + index;
            return at < from.Codes.Length && from.Units[at] < end ? at : LastBefore(end);
        }

        int LastBefore(int end) => Array.BinarySearch(from.Units, end) - 1;
    }

    /// <summary>The text that a prefix of another is mapped to, or null where none is in the map.</summary>
    /// <param name="text">Where to look.</param>
    /// <param name="longest">Whether the longest prefix counts, or the shortest.</param>
    /// <param name="length">How many UTF-16 units the prefix has.</param>
    public string? Find(ReadOnlySpan<char> text, bool longest, out int length)
    {
        length = 0;
        var found = -1;
        uint node = 0;
        if (!Follow(ref node, out _))
            return null;
        Span<byte> bytes = stackalloc byte[4];
        for (var unit = 0; unit < text.Length;)
        {
            Rune.DecodeFromUtf16(text[unit..], out var rune, out var width);
            unit += width;
            var endsCharacter = false;
            foreach (var next in bytes[..rune.EncodeToUtf8(bytes)])
            {
                node ^= next;
                if (next == 0 || node >= _trie.Length || (_trie[node] & 0x800000FF) != next)
                    return TextAt(found);
                if (!Follow(ref node, out endsCharacter))
                    return TextAt(found);
            }

            if (endsCharacter && node < _trie.Length)
            {
                found = (int)(_trie[node] & 0x7FFFFFFF);
                length = unit;
                if (!longest)
                    break;
            }
        }

        return TextAt(found);
    }

    /// <summary>Steps from a unit to the base of its children.</summary>
    private bool Follow(ref uint node, out bool hasLeaf)
    {
        hasLeaf = false;
        if (node >= _trie.Length)
            return false;
        var unit = _trie[node];
        hasLeaf = ((unit >> 8) & 1) == 1;
        node ^= (unit >> 10) << (int)((unit & (1u << 9)) >> 6);
        return true;
    }

    private string? TextAt(int position)
    {
        if (position < 0)
            return null;
        if (position >= _texts.Length)
            return "";
        ReadOnlySpan<byte> rest = _texts.AsSpan(position);
        var end = rest.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? rest : rest[..end]);
    }

    private void AddPoint(CodePoints from, int point, List<(int, int)> points)
    {
        Span<char> units = stackalloc char[2];
        var mapped = Find(units[..new Rune(from.Codes[point]).EncodeToUtf16(units)], longest: false, out _);
        if (mapped is null)
            points.Add((from.Codes[point], point));
        else
            points.AddRange(new CodePoints(mapped).Codes.Select(code => (code, point)));
    }
}
