namespace OrtPeft.Tensors;

/// <summary>The element types of ONNX tensors, with the numbers of <c>TensorProto.DataType</c>.</summary>
/// <seealso href="https://github.com/onnx/onnx/blob/main/onnx/onnx.proto"/>
public enum ElementType
{
    /// <summary>Not stated; a value whose type has not been inferred yet.</summary>
    Undefined = 0,

    /// <summary>IEEE 754 binary32, 4 bytes.</summary>
    Float = 1,

    /// <summary>Unsigned integer, 1 byte.</summary>
    UInt8 = 2,

    /// <summary>Signed integer, 1 byte.</summary>
    Int8 = 3,

    /// <summary>Unsigned integer, 2 bytes.</summary>
    UInt16 = 4,

    /// <summary>Signed integer, 2 bytes.</summary>
    Int16 = 5,

    /// <summary>Signed integer, 4 bytes.</summary>
    Int32 = 6,

    /// <summary>Signed integer, 8 bytes.</summary>
    Int64 = 7,

    /// <summary>A byte string of any length per element.</summary>
    String = 8,

    /// <summary>True or false, 1 byte.</summary>
    Bool = 9,

    /// <summary>IEEE 754 binary16, 2 bytes.</summary>
    Float16 = 10,

    /// <summary>IEEE 754 binary64, 8 bytes.</summary>
    Double = 11,

    /// <summary>Unsigned integer, 4 bytes.</summary>
    UInt32 = 12,

    /// <summary>Unsigned integer, 8 bytes.</summary>
    UInt64 = 13,

    /// <summary>Two binary32 numbers, 8 bytes.</summary>
    Complex64 = 14,

    /// <summary>Two binary64 numbers, 16 bytes.</summary>
    Complex128 = 15,

    /// <summary>The upper half of a binary32, 2 bytes.</summary>
    BFloat16 = 16,

    /// <summary>8-bit float, 4 exponent bits, no infinities.</summary>
    Float8E4M3FN = 17,

    /// <summary>8-bit float, 4 exponent bits, no negative zero.</summary>
    Float8E4M3FNUZ = 18,

    /// <summary>8-bit float, 5 exponent bits.</summary>
    Float8E5M2 = 19,

    /// <summary>8-bit float, 5 exponent bits, no negative zero.</summary>
    Float8E5M2FNUZ = 20,

    /// <summary>Unsigned 4-bit integer, two to a byte.</summary>
    UInt4 = 21,

    /// <summary>Signed 4-bit integer, two to a byte.</summary>
    Int4 = 22,

    /// <summary>4-bit float, two to a byte.</summary>
    Float4E2M1 = 23,
}
