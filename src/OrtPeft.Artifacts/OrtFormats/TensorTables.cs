using OrtPeft.Artifacts.FlatBuffers;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Artifacts.OrtFormats;

/// <summary>Tensors as tables of a flatbuffer; checkpoints and adapters share everything but the slots.</summary>
internal static class TensorTables
{
    /// <summary>The table of a tensor, with its elements unless <paramref name="data"/> is null.</summary>
    public static FlatTable Write(Tensor tensor, TensorSlots slots, TensorData? data) => new FlatTable()
        .Text(slots.Name, tensor.Name)
        .Reference(slots.Dims, new FlatInt64Vector(tensor.Dims))
        .Int32(slots.DataType, (int)tensor.Type)
        .Reference(slots.RawData, data is null ? null : new FlatByteVector(data));

    /// <summary>Reads a tensor.</summary>
    /// <param name="table">Where it is described.</param>
    /// <param name="slots">In which slots.</param>
    /// <param name="whyNot">Why the file must not have an element type; null where it may.</param>
    /// <param name="data">Finds the elements by the bytes that the shape takes.</param>
    /// <exception cref="OnnxFormatException">The description or the elements are missing or do not match.</exception>
    public static Tensor Read(
        FlatTableReader table, TensorSlots slots, Func<ElementType, string?> whyNot, Func<long, TensorData> data)
    {
        var name = table.Text(slots.Name, "name");
        if (string.IsNullOrEmpty(name))
            throw table.Broken("name", "is missing");
        var dims = table.Int64s(slots.Dims, "dims");
        if (dims.IsDefault)
            throw table.Broken("dims", $"of '{name}' is missing");
        var type = (ElementType)table.Int32(slots.DataType, "data_type");
        if (whyNot(type) is { } reason)
            throw table.Broken("data_type", $"of '{name}' is {type}: {reason}");
        try
        {
            var elements = dims.Aggregate(1L, static (product, dim) =>
                dim < 0 ? throw new OverflowException() : checked(product * dim));
            return new Tensor(type, dims, data(type.ByteCount(elements)), name);
        }
        catch (OverflowException e)
        {
            var shape = string.Join(", ", dims.Take(16));
            throw new OnnxFormatException(table.Broken("dims", $"of '{name}' is [{shape}]").Message, e);
        }
    }

    /// <summary>The elements in the table itself.</summary>
    public static TensorData RawData(FlatTableReader table, TensorSlots slots, long length)
    {
        var data = table.Bytes(slots.RawData, "raw_data") ?? throw table.Broken("raw_data", "is missing");
        return data.Length == length
            ? data
            : throw table.Broken("raw_data", $"has {data.Length} bytes where dims and data_type take {length}");
    }
}
