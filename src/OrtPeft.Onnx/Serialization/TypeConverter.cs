using Google.Protobuf;
using OrtPeft.Onnx.Serialization.Proto;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Serialization;

/// <summary>Value types to and from their messages. Types that are not tensors are carried along as bytes.</summary>
internal static class TypeConverter
{
    public static void Read(ValueInfoProto proto, Value value)
    {
        if (proto.Type is { } type)
        {
            if (type.ValueCase == TypeProto.ValueOneofCase.TensorType)
            {
                value.Type = ElementTypeOf(type.TensorType, proto.Name);
                value.Shape = ReadShape(type.TensorType.Shape);
            }
            else
            {
                value.OpaqueType = type.ToByteArray();
            }

            type.ClearValue();
            proto.Type = type.CalculateSize() > 0 && value.OpaqueType.IsEmpty ? type : null;
        }

        proto.ClearName();
        value.Unmodelled = proto.ToByteArray();
    }

    public static ValueInfoProto Write(Value value)
    {
        var proto = ValueInfoProto.Parser.ParseFrom(value.Unmodelled.Span);
        proto.Name = value.Name;
        if (!value.OpaqueType.IsEmpty)
            proto.Type = TypeProto.Parser.ParseFrom(value.OpaqueType.Span);
        else if (value.Type != ElementType.Undefined)
            (proto.Type ??= new()).TensorType = new() { ElemType = (int)value.Type, Shape = WriteShape(value.Shape) };
        else
            proto.Type = null;
        return proto;
    }

    /// <summary>The type of a sequence of tensors of any shape, as a message.</summary>
    public static byte[] SequenceOf(ElementType element) => new TypeProto
    {
        SequenceType = new() { ElemType = new() { TensorType = new() { ElemType = (int)element } } },
    }.ToByteArray();

    private static ElementType ElementTypeOf(TypeProto.Types.Tensor type, string name)
    {
        var element = (ElementType)type.ElemType;
        return Enum.IsDefined(element)
            ? element
            : throw new OnnxFormatException($"'{name}' has the element type {type.ElemType}, which is none of ONNX's.");
    }

    private static Shape? ReadShape(TensorShapeProto? proto) => proto is null ? null : Shape.Create(
        [.. proto.Dim.Select(static d => d.ValueCase switch
        {
            TensorShapeProto.Types.Dimension.ValueOneofCase.DimValue when d.DimValue >= 0 => (Dim)d.DimValue,
            TensorShapeProto.Types.Dimension.ValueOneofCase.DimParam => Dim.Named(d.DimParam),
            _ => Dim.Unknown,
        })]);

    private static TensorShapeProto? WriteShape(Shape? shape)
    {
        if (shape is null)
            return null;
        var proto = new TensorShapeProto();
        foreach (var dim in shape)
        {
            var written = new TensorShapeProto.Types.Dimension();
            if (dim.Value is { } length)
                written.DimValue = length;
            else if (dim.IsKnown)
                written.DimParam = dim.ToString();
            proto.Dim.Add(written);
        }

        return proto;
    }
}
