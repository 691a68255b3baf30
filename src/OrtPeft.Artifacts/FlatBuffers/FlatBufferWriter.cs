using System.Globalization;
using System.Text;
using OrtPeft.Tensors;

namespace OrtPeft.Artifacts.FlatBuffers;

/// <summary>
/// Writes a tree of tables as a flatbuffer, front to back: first the places, then the bytes, so that a stream suffices
/// and tensors go from their file to the target in pieces.
/// </summary>
/// <seealso href="https://flatbuffers.dev/internals/">The format.</seealso>
internal static class FlatBufferWriter
{
    /// <summary>Buffers must be shorter than this, in bytes: readers take offsets for signed 32-bit numbers.</summary>
    public const long Limit = int.MaxValue;

    /// <summary>Writes a buffer.</summary>
    /// <param name="target">Where to; only written forwards.</param>
    /// <param name="root">The outermost table.</param>
    /// <param name="identifier">Four ASCII characters that tell the kind of file.</param>
    /// <param name="file">What messages call the file.</param>
    /// <param name="remedy">What to do when it is too long, as the rest of a sentence.</param>
    /// <exception cref="ArgumentException">The buffer would reach 2 GiB; nothing has been written then.</exception>
    public static void Write(Stream target, FlatTable root, string identifier, string file, string remedy)
    {
        var layout = new BufferLayout(root);
        if (layout.Length >= Limit)
        {
            var bytes = layout.Length.ToString(CultureInfo.InvariantCulture);
            throw new SettingException(
                $"{file}: would take {bytes} bytes, and the format's limit is {Limit}; {remedy}.");
        }

        using var writer = new BinaryWriter(target, Encoding.UTF8, leaveOpen: true);
        writer.Write(layout.Offset(0, root));
        writer.Write(Encoding.ASCII.GetBytes(identifier));
        long position = BufferLayout.HeaderBytes;
        foreach (var (node, place) in layout.Places)
        {
            for (; position < place; position++)
                writer.Write((byte)0);
            node.Write(writer, place, layout);
            position = place + node.Length;
        }
    }
}
