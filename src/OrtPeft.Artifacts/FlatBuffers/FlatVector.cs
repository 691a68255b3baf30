namespace OrtPeft.Artifacts.FlatBuffers;

/// <summary>A vector of offsets to tables or texts.</summary>
internal sealed class FlatVector(IReadOnlyList<FlatNode> items) : FlatNode
{
    public override long Length => sizeof(uint) + ((long)items.Count * sizeof(uint));

    public override IEnumerable<FlatNode> Children => items;

    public override void Write(BinaryWriter target, long position, BufferLayout layout)
    {
        target.Write(items.Count);
        foreach (var (index, item) in items.Index())
            target.Write(layout.Offset(position + sizeof(uint) + ((long)index * sizeof(uint)), item));
    }
}
