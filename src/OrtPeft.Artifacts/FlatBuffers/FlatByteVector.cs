using OrtPeft.Tensors.Storage;

namespace OrtPeft.Artifacts.FlatBuffers;

/// <summary>
/// A vector of raw bytes, streamed from where they lie and never held as a whole. The first byte is aligned to 8, as
/// the widest elements need it.
/// </summary>
internal sealed class FlatByteVector(TensorData data) : FlatNode
{
    public override long Length => sizeof(uint) + data.Length;

    public override int Alignment => sizeof(ulong);

    public override int Lead => sizeof(uint);

    public override bool IsBulk => true;

    public override void Write(BinaryWriter target, long position, BufferLayout layout)
    {
        // The layout has refused longer data by now.
        target.Write((uint)data.Length);
        target.Flush();
        data.CopyTo(target.BaseStream);
    }
}
