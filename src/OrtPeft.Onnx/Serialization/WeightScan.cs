using System.Buffers;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Serialization;

/// <summary>
/// One pass over a model's wire format before it is parsed: the large <c>raw_data</c> of initializers is left where it
/// is
/// in the mapped file, and the copy that is parsed says where. So a model with embedded weights loads without reading
/// them.
/// </summary>
internal sealed class WeightScan(string path, WeightScan.ByteSource file)
{
    private const int Threshold = 1024;
    private const int ModelGraph = 7;
    private const int GraphInitializer = 5;
    private const int TensorRawData = 9;
    private const int TensorMappedOffset = 100001;
    private const int TensorMappedLength = 100002;
    private const int LengthDelimited = 2;

    /// <summary>Reads bytes of the file; a delegate because spans cannot be fields.</summary>
    /// <param name="offset">First byte.</param>
    /// <param name="count">How many.</param>
    public delegate ReadOnlySpan<byte> ByteSource(long offset, int count);

    /// <summary>The model's bytes without the large weights.</summary>
    public byte[] Strip(int length) => Message(0, length, ModelGraph, (gs, ge) =>
        Message(gs, ge, GraphInitializer, Tensor)).WrittenSpan.ToArray();

    private ArrayBufferWriter<byte> Tensor(int start, int end)
    {
        var output = new ArrayBufferWriter<byte>();
        foreach (var field in Fields(start, end))
        {
            if (field is { Number: TensorRawData, Wire: LengthDelimited } && field.End - field.Content >= Threshold)
            {
                WriteVarint(output, TensorMappedOffset << 3);
                WriteVarint(output, (ulong)field.Content);
                WriteVarint(output, TensorMappedLength << 3);
                WriteVarint(output, (ulong)(field.End - field.Content));
            }
            else if (field.Number is not (TensorMappedOffset or TensorMappedLength))
            {
                output.Write(file(field.Start, field.End - field.Start));
            }
        }

        return output;
    }

    private ArrayBufferWriter<byte> Message(
        int start, int end, int inner, Func<int, int, ArrayBufferWriter<byte>> rewrite)
    {
        var output = new ArrayBufferWriter<byte>();
        foreach (var field in Fields(start, end))
        {
            if (field.Number == inner && field.Wire == LengthDelimited)
            {
                var content = rewrite(field.Content, field.End).WrittenSpan;
                WriteVarint(output, (ulong)((inner << 3) | LengthDelimited));
                WriteVarint(output, (ulong)content.Length);
                output.Write(content);
            }
            else
            {
                output.Write(file(field.Start, field.End - field.Start));
            }
        }

        return output;
    }

    private IEnumerable<Field> Fields(int start, int end)
    {
        var at = start;
        while (at < end)
        {
            var fieldStart = at;
            var tag = ReadVarint(ref at, end);
            var wire = (int)(tag & 7);
            var content = at;
            ulong size = wire switch
            {
                0 => SkipVarint(ref at, end),
                1 => 8,
                2 => ReadVarint(ref at, end),
                5 => 4,
                _ => throw Broken(fieldStart, $"wire type {wire}"),
            };
            content = wire == LengthDelimited ? at : content;
            if (size > (ulong)(end - at))
                throw Broken(fieldStart, $"a field of {size} bytes where {end - at} are left");
            at += (int)size;
            yield return new Field((int)Math.Min(tag >> 3, int.MaxValue), wire, fieldStart, content, at);
        }
    }

    private ulong SkipVarint(ref int at, int end)
    {
        ReadVarint(ref at, end);
        return 0;
    }

    private ulong ReadVarint(ref int at, int end)
    {
        var start = at;
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            if (at >= end)
                throw Broken(start, "a number cut off");
            var next = file(at++, 1)[0];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
                return value;
        }

        throw Broken(start, "a number of more than 10 bytes");
    }

    private OnnxFormatException Broken(int offset, string what) =>
        new($"{path} is not an ONNX model, or is damaged (byte {offset}: {what}); give an .onnx file, or get a fresh copy.");

    private static void WriteVarint(ArrayBufferWriter<byte> output, ulong value)
    {
        Span<byte> bytes = stackalloc byte[10];
        var count = 0;
        do
        {
            bytes[count++] = (byte)(value >= 0x80 ? (value & 0x7f) | 0x80 : value);
            value >>= 7;
        }
        while (value != 0);
        output.Write(bytes[..count]);
    }

    private readonly record struct Field(int Number, int Wire, int Start, int Content, int End);
}
