using OrtPeft.Tokenizers.Unicode;

namespace OrtPeft.Tokenizers.Patterns;

/// <summary>A set of code points for matching: one look into a table within the basic plane.</summary>
internal sealed class CodePointClass
{
    private readonly ulong[] _basic = new ulong[0x10000 / 64];
    private readonly CodePointSet _set;

    public CodePointClass(CodePointSet set)
    {
        _set = set;
        foreach (var (start, end) in set.Ranges)
        {
            for (var code = start; code < Math.Min(end, 0x10000); code++)
                _basic[code >> 6] |= 1UL << (code & 63);
        }
    }

    public bool Contains(int code) =>
        code < 0x10000 ? (_basic[code >> 6] >> (code & 63) & 1) != 0 : _set.Contains(code);
}
