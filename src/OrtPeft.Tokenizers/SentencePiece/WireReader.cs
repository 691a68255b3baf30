using System.Buffers.Binary;
using System.Text;

namespace OrtPeft.Tokenizers.SentencePiece;

/// <summary>Walks over the fields of one protobuf message.</summary>
/// <seealso href="https://protobuf.dev/programming-guides/encoding/">The encoding</seealso>
internal ref struct WireReader(ReadOnlySpan<byte> message, SourcePlace place)
{
    private ReadOnlySpan<byte> _rest = message;
    private ulong _number;
    private ReadOnlySpan<byte> _bytes;

    /// <summary>The field that <see cref="Read"/> came to.</summary>
    public int Field { get; private set; }

    public readonly ReadOnlySpan<byte> Bytes => _bytes;

    public readonly string Text => Encoding.UTF8.GetString(_bytes);

    public readonly int Int32 => (int)_number;

    public readonly bool Flag => _number != 0;

    public readonly float Single => BitConverter.UInt32BitsToSingle((uint)_number);

    /// <summary>Goes to the next field; false at the end.</summary>
    /// <exception cref="TokenizerFormatException">The bytes are not a protobuf message.</exception>
    public bool Read()
    {
        if (_rest.IsEmpty)
            return false;
        var key = ReadVarint();
        Field = (int)(key >> 3);
        _number = 0;
        _bytes = [];
        switch (key & 7)
        {
            case 0:
                _number = ReadVarint();
                break;
            case 1:
                _number = BinaryPrimitives.ReadUInt64LittleEndian(Take(8));
                break;
            case 2:
                _bytes = Take(ReadVarint());
                break;
            case 5:
                _number = BinaryPrimitives.ReadUInt32LittleEndian(Take(4));
                break;
            default:
                throw Broken();
        }

        return true;
    }

    private ulong ReadVarint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = Take(1)[0];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
                return value;
        }

        throw Broken();
    }

    private ReadOnlySpan<byte> Take(ulong count)
    {
        if (count > (ulong)_rest.Length)
            throw Broken();
        var taken = _rest[..(int)count];
        _rest = _rest[(int)count..];
        return taken;
    }

    private readonly TokenizerFormatException Broken() =>
        place.Error("the bytes are not a SentencePiece model; restore the file");
}
