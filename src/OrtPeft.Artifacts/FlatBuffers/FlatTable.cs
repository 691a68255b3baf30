namespace OrtPeft.Artifacts.FlatBuffers;

/// <summary>
/// A table to be written: numbers and references by slot. A number that equals its default takes no space, as readers
/// then find the default.
/// </summary>
internal sealed class FlatTable : FlatNode
{
    private readonly SortedDictionary<int, FlatField> _fields = [];

    /// <inheritdoc/>
    public override long Length => Inline().Size;

    /// <inheritdoc/>
    public override int Alignment => _fields.Values.Select(static f => f.Width).Append(sizeof(int)).Max();

    /// <inheritdoc/>
    public override IEnumerable<FlatNode> Children => _fields.Values.Where(static f => f.Node is not null)
        .Select(static f => f.Node!);

    /// <summary>
    /// The table that tells where each slot's field is: the vtable's size, the table's size, and an offset or 0 per
    /// slot. Tables of equal fields share one.
    /// </summary>
    public ushort[] VTable
    {
        get
        {
            var (offsets, size) = Inline();
            var slots = _fields.Count == 0 ? 0 : _fields.Keys.Last() + 1;
            var vtable = new ushort[2 + slots];
            vtable[0] = (ushort)(vtable.Length * sizeof(ushort));
            vtable[1] = (ushort)size;
            foreach (var (slot, offset) in offsets)
                vtable[2 + slot] = (ushort)offset;
            return vtable;
        }
    }

    public FlatTable Int32(int slot, int value, int absent = 0) =>
        value == absent ? this : Add(slot, new FlatField(sizeof(int), unchecked((uint)value)));

    public FlatTable Int64(int slot, long value, long absent = 0) =>
        value == absent ? this : Add(slot, new FlatField(sizeof(long), unchecked((ulong)value)));

    /// <summary>A float32; negative zero and NaN are not defaults and are written.</summary>
    public FlatTable Single(int slot, float value) => BitConverter.SingleToUInt32Bits(value) is var bits and not 0
        ? Add(slot, new FlatField(sizeof(float), bits))
        : this;

    public FlatTable Boolean(int slot, bool value) => value ? Add(slot, new FlatField(sizeof(bool), 1)) : this;

    public FlatTable Text(int slot, string value) => Reference(slot, new FlatString(value));

    /// <summary>An offset to another node; null leaves the field out.</summary>
    public FlatTable Reference(int slot, FlatNode? node) =>
        node is null ? this : Add(slot, new FlatField(sizeof(uint), 0, node));

    public override void Write(BinaryWriter target, long position, BufferLayout layout)
    {
        target.Write((int)(position - layout.VTablePosition(this)));
        long written = sizeof(int);
        foreach (var (slot, offset) in Inline().Offsets)
        {
            for (; written < offset; written++)
                target.Write((byte)0);
            var field = _fields[slot];
            var bits = field.Node is null ? field.Bits : layout.Offset(position + offset, field.Node);
            WriteNumber(target, field.Width, bits);
            written += field.Width;
        }
    }

    private static void WriteNumber(BinaryWriter target, int width, ulong bits)
    {
        for (var i = 0; i < width; i++)
            target.Write((byte)(bits >> (8 * i)));
    }

    private FlatTable Add(int slot, FlatField field)
    {
        _fields.Add(slot, field);
        return this;
    }

    /// <summary>The fields in the order of their slots, each at the next multiple of its width.</summary>
    private (List<(int Slot, int Offset)> Offsets, int Size) Inline()
    {
        var offsets = new List<(int, int)>(_fields.Count);
        var end = sizeof(int);
        foreach (var (slot, field) in _fields)
        {
            var offset = (end + field.Width - 1) / field.Width * field.Width;
            offsets.Add((slot, offset));
            end = offset + field.Width;
        }

        return (offsets, end);
    }
}
