namespace OrtPeft.Tensors;

/// <summary>Sizes and classes of the element types.</summary>
public static class ElementTypes
{
    /// <summary>The size of one element in bits: 4 for the packed types, 0 for strings and undefined.</summary>
    /// <param name="type">The element type.</param>
    /// <returns>Bits per element.</returns>
    public static int BitSize(this ElementType type) => type switch
    {
        ElementType.Undefined or ElementType.String => 0,
        ElementType.UInt4 or ElementType.Int4 or ElementType.Float4E2M1 => 4,
        ElementType.UInt8 or ElementType.Int8 or ElementType.Bool => 8,
        ElementType.Float8E4M3FN or ElementType.Float8E4M3FNUZ => 8,
        ElementType.Float8E5M2 or ElementType.Float8E5M2FNUZ => 8,
        ElementType.UInt16 or ElementType.Int16 or ElementType.Float16 or ElementType.BFloat16 => 16,
        ElementType.Float or ElementType.Int32 or ElementType.UInt32 => 32,
        ElementType.Double or ElementType.Int64 or ElementType.UInt64 or ElementType.Complex64 => 64,
        ElementType.Complex128 => 128,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Not an ONNX element type."),
    };

    /// <summary>Whether gradients can flow through values of this type.</summary>
    /// <param name="type">The element type.</param>
    /// <returns>True for the 16, 32 and 64-bit floating-point types.</returns>
    public static bool IsFloating(this ElementType type) =>
        type is ElementType.Float or ElementType.Double or ElementType.Float16 or ElementType.BFloat16;

    /// <summary>Whether a type is a floating-point type of 16 bits.</summary>
    internal static bool IsHalf(this ElementType type) => type is ElementType.Float16 or ElementType.BFloat16;

    /// <summary>The bytes that <paramref name="elements"/> elements take, the packed types rounded up.</summary>
    /// <param name="type">The element type; not a string.</param>
    /// <param name="elements">How many elements, at least 0.</param>
    /// <returns>Bytes.</returns>
    /// <exception cref="OverflowException">The size does not fit in 63 bits.</exception>
    public static long ByteCount(this ElementType type, long elements) =>
        checked(((elements * type.BitSize()) + 7) / 8);
}
