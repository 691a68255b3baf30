using System.Runtime.InteropServices;
using Google.Protobuf;
using OrtPeft.Onnx.Serialization.Proto;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Onnx.Serialization;

/// <summary>Turns tensor messages into <see cref="Tensor"/>s; the typed data lists become raw bytes.</summary>
internal sealed class TensorReader(string path, MappedFile? mapped, ExternalDataReader? external)
{
    public Tensor Read(TensorProto proto)
    {
        var type = (ElementType)proto.DataType;
        if (!Enum.IsDefined(type) || type == ElementType.Undefined)
            throw Broken(proto, $"has data type {proto.DataType}, which ONNX does not define");
        try
        {
            var count = proto.Dims.Aggregate(1L, static (product, dim) =>
                dim >= 0 ? checked(product * dim) : throw new OverflowException());
            var data = type == ElementType.String
                ? new MemoryTensorData(ReadOnlyMemory<byte>.Empty)
                : Find(proto, type, type.ByteCount(count));
            var tensor = new Tensor(type, [.. proto.Dims], data, proto.Name) { Unmodelled = Rest(proto) };
            return tensor;
        }
        catch (OverflowException)
        {
            throw Broken(proto, $"has the impossible shape [{string.Join(", ", proto.Dims)}]");
        }
    }

    private TensorData Find(TensorProto proto, ElementType type, long length)
    {
        if (proto.DataLocation == TensorProto.Types.DataLocation.External)
        {
            return external?.Find(proto, length)
                ?? throw Broken(proto, "has external data, but the model was not loaded from a file");
        }

        var data = proto.HasMappedLength && mapped is not null
            ? Mapped(proto, mapped)
            : new MemoryTensorData(proto.HasRawData ? proto.RawData.Memory : Typed(proto, type));
        if (data.Length != length)
            throw Broken(
                proto, $"holds {data.Length} bytes where {type} [{string.Join(", ", proto.Dims)}] takes {length}");
        return data;
    }

    private TensorData Mapped(TensorProto proto, MappedFile file)
    {
        var (offset, length) = (proto.MappedOffset, proto.MappedLength);
        return offset >= 0 && length >= 0 && offset <= file.Length - length
            ? file.Slice(offset, length)
            : throw Broken(proto, $"lies at {offset}+{length} of {file.Length} bytes");
    }

    private static ReadOnlyMemory<byte> Typed(TensorProto proto, ElementType type) => type switch
    {
        ElementType.Float or ElementType.Complex64 => Bytes<float>([.. proto.FloatData]),
        ElementType.Double or ElementType.Complex128 => Bytes<double>([.. proto.DoubleData]),
        ElementType.Int64 => Bytes<long>([.. proto.Int64Data]),
        ElementType.UInt64 => Bytes<ulong>([.. proto.Uint64Data]),
        ElementType.UInt32 => Bytes<uint>([.. proto.Uint64Data.Select(static v => (uint)v)]),
        ElementType.Int32 => Bytes<int>([.. proto.Int32Data]),
        _ when type.BitSize() == 16 => Bytes<ushort>([.. proto.Int32Data.Select(static v => (ushort)v)]),
        _ => Bytes<byte>([.. proto.Int32Data.Select(static v => (byte)v)]),
    };

    private static ReadOnlyMemory<byte> Bytes<T>(T[] values)
        where T : unmanaged => MemoryMarshal.AsBytes(values.AsSpan()).ToArray();

    private static byte[] Rest(TensorProto proto)
    {
        proto.Dims.Clear();
        proto.ClearDataType();
        proto.FloatData.Clear();
        proto.Int32Data.Clear();
        proto.Int64Data.Clear();
        proto.DoubleData.Clear();
        proto.Uint64Data.Clear();
        proto.ClearRawData();
        proto.ClearMappedOffset();
        proto.ClearMappedLength();
        proto.ClearName();
        proto.ExternalData.Clear();
        proto.ClearDataLocation();
        return proto.ToByteArray();
    }

    private OnnxFormatException Broken(TensorProto proto, string what) => new($"{path}: tensor '{proto.Name}' {what}.");
}
