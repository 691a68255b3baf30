using System.Collections.Immutable;

namespace OrtPeft.Artifacts.FlatBuffers;

/// <summary>A vector of 64-bit integers, aligned to 8 bytes.</summary>
internal sealed class FlatInt64Vector(ImmutableArray<long> values) : FlatNode
{
    public override long Length => sizeof(uint) + ((long)values.Length * sizeof(long));

    public override int Alignment => sizeof(long);

    public override int Lead => sizeof(uint);

    public override void Write(BinaryWriter target, long position, BufferLayout layout)
    {
        target.Write(values.Length);
        foreach (var value in values)
            target.Write(value);
    }
}
