namespace OrtPeft.Artifacts.FlatBuffers;

/// <summary>
/// Where each node goes: level by level from the root, so that every offset leads forwards as the format demands; what
/// is large comes last.
/// </summary>
internal sealed class BufferLayout
{
    /// <summary>The bytes before the first node: the offset of the root and the identifier.</summary>
    public const int HeaderBytes = 2 * sizeof(uint);

    private readonly Dictionary<FlatNode, long> _positions = [];
    private readonly Dictionary<string, FlatVTable> _vtables = new(StringComparer.Ordinal);
    private readonly List<FlatNode> _order = [];

    public BufferLayout(FlatTable root)
    {
        var bulk = new List<FlatNode>();
        var waiting = new Queue<FlatNode>([root]);
        while (waiting.TryDequeue(out var node))
        {
            if (node.IsBulk)
                bulk.Add(node);
            else
                PlaceWithVTable(node);
            foreach (var child in node.Children)
                waiting.Enqueue(child);
        }

        foreach (var node in bulk)
            Place(node);
    }

    /// <summary>The buffer's length in bytes; may exceed what the format allows.</summary>
    public long Length { get; private set; } = HeaderBytes;

    /// <summary>The nodes and their places, ascending.</summary>
    public IEnumerable<(FlatNode Node, long Position)> Places => _order.Select(node => (node, _positions[node]));

    /// <summary>The offset that leads from <paramref name="from"/>, where it is stored, to a node.</summary>
    public uint Offset(long from, FlatNode node) => (uint)(_positions[node] - from);

    public long VTablePosition(FlatTable table) => _positions[_vtables[Key(table)]];

    private static string Key(FlatTable table) => string.Concat(table.VTable.Select(static entry => (char)entry));

    private void PlaceWithVTable(FlatNode node)
    {
        if (node is FlatTable table && !_vtables.ContainsKey(Key(table)))
        {
            var vtable = new FlatVTable(table.VTable);
            _vtables.Add(Key(table), vtable);
            Place(vtable);
        }

        Place(node);
    }

    private void Place(FlatNode node)
    {
        var aligned = (Length + node.Lead + node.Alignment - 1) / node.Alignment * node.Alignment;
        _positions.Add(node, aligned - node.Lead);
        _order.Add(node);
        Length = aligned - node.Lead + node.Length;
    }
}
