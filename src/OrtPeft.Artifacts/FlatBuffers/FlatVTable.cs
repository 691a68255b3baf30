namespace OrtPeft.Artifacts.FlatBuffers;

/// <summary>Where the fields of one or more tables of equal fields stand.</summary>
internal sealed class FlatVTable(ushort[] entries) : FlatNode
{
    public override long Length => (long)entries.Length * sizeof(ushort);

    public override void Write(BinaryWriter target, long position, BufferLayout layout)
    {
        foreach (var entry in entries)
            target.Write(entry);
    }
}
