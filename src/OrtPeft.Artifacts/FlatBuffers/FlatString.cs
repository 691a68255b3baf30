using System.Text;

namespace OrtPeft.Artifacts.FlatBuffers;

/// <summary>A text in UTF-8: its length, its bytes, and a zero that the length leaves out.</summary>
internal sealed class FlatString(string value) : FlatNode
{
    private readonly byte[] _bytes = Encoding.UTF8.GetBytes(value);

    public override long Length => sizeof(uint) + _bytes.LongLength + 1;

    public override void Write(BinaryWriter target, long position, BufferLayout layout)
    {
        target.Write(_bytes.Length);
        target.Write(_bytes);
        target.Write((byte)0);
    }
}
