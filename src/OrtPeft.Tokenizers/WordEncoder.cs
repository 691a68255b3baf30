using System.Runtime.InteropServices;
using System.Text;

namespace OrtPeft.Tokenizers;

/// <summary>Bytes, merges and the cache: turns one word of a text into ids.</summary>
internal sealed class WordEncoder
{
    private const int Dropped = -1;
    private const int OnStack = 256;

    private readonly int[] _byteIds = new int[256];
    private readonly int _unknownId;
    private readonly bool _fusesUnknown;
    private readonly BpeModel? _wholeWords;
    private readonly MergeTable _merges;
    private readonly WordCache _cache = new();

    public WordEncoder(BpeModel model)
    {
        _merges = new MergeTable(model.Merges);
        _wholeWords = model.Settings.TakesWholeWords ? model : null;
        _fusesUnknown = model.Settings.FusesUnknown;
        _unknownId = model.Settings.UnknownId ?? Dropped;
        for (var b = 0; b < 256; b++)
        {
            var spelled = ByteAlphabet.CharOf((byte)b).ToString();
            _byteIds[b] = model.Ids.TryGetValue(spelled, out var id) ? id : Dropped;
        }
    }

    public void Encode(ReadOnlySpan<char> word, List<int> output)
    {
        if (_cache.TryGet(word, out var known))
        {
            output.AddRange(known);
            return;
        }

        var start = output.Count;
        Merge(word, output);
        _cache.Add(word, CollectionsMarshal.AsSpan(output)[start..]);
    }

    private void Merge(ReadOnlySpan<char> word, List<int> output)
    {
        var most = Encoding.UTF8.GetMaxByteCount(word.Length);
        var bytes = most <= OnStack ? stackalloc byte[OnStack] : new byte[most];
        bytes = bytes[..Encoding.UTF8.GetBytes(word, bytes)];
        if (_wholeWords is not null && _wholeWords.Ids.TryGetValue(ByteAlphabet.Spell(bytes), out var whole))
        {
            output.Add(whole);
            return;
        }

        var ids = bytes.Length <= OnStack ? stackalloc int[OnStack] : new int[bytes.Length];
        ids = ids[..FirstIds(bytes, ids)];
        output.AddRange(ids[..PairMerger.MergeAll(_merges, ids)]);
    }

    private int FirstIds(ReadOnlySpan<byte> bytes, Span<int> ids)
    {
        var count = 0;
        var afterUnknown = false;
        foreach (var b in bytes)
        {
            var id = _byteIds[b];
            var isUnknown = id == Dropped;
            if (isUnknown)
                id = _fusesUnknown && afterUnknown ? Dropped : _unknownId;
            afterUnknown = isUnknown;
            if (id != Dropped)
                ids[count++] = id;
        }

        return count;
    }
}
