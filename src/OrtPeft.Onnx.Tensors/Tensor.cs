using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.InteropServices;
using OrtPeft.Onnx.Storage;

namespace OrtPeft.Onnx;

/// <summary>
/// A constant array: type, axes and bytes (little-endian, row-major), the bytes often a range of a mapped file.
/// Immutable
/// and thread-safe. String tensors keep their elements unread.
/// </summary>
public sealed class Tensor
{
    /// <summary>Creates a tensor over existing bytes.</summary>
    /// <param name="type">The element type.</param>
    /// <param name="dims">The axes' lengths, outermost first; empty for a scalar.</param>
    /// <param name="data">The bytes; not copied.</param>
    /// <param name="name">The tensor's name in its file; may be empty.</param>
    /// <exception cref="ArgumentException">An axis is negative, or the bytes do not match type and axes.</exception>
    public Tensor(ElementType type, ImmutableArray<long> dims, TensorData data, string name = "")
    {
        ArgumentNullException.ThrowIfNull(data);
        var expected = type.ByteCount(ElementCount(dims));
        if (type != ElementType.String && expected != data.Length)
        {
            var shape = string.Join(", ", dims);
            throw new ArgumentException($"{type} [{shape}] takes {expected} bytes, not {data.Length}.", nameof(data));
        }

        Type = type;
        Dims = dims;
        Data = data;
        Name = name;
    }

    /// <summary>The name the tensor had in its file; in a graph the value's name counts.</summary>
    public string Name { get; }

    /// <summary>The element type.</summary>
    public ElementType Type { get; }

    /// <summary>The axes' lengths, outermost first.</summary>
    public ImmutableArray<long> Dims { get; }

    /// <summary>The bytes.</summary>
    public TensorData Data { get; }

    /// <summary>The number of elements.</summary>
    public long Count => ElementCount(Dims);

    /// <summary>
    /// What the file said of the tensor beyond the members here, as protobuf bytes; written back on saving.
    /// </summary>
    internal ReadOnlyMemory<byte> Unmodelled { get; init; }

    /// <summary>Makes a tensor of a copy of numbers.</summary>
    /// <typeparam name="T">A number type that ONNX has: <see cref="ElementTypeOf{T}"/> tells which.</typeparam>
    /// <param name="values">The elements, row-major.</param>
    /// <param name="dims">The axes; left out, one axis of the number of elements.</param>
    /// <returns>The tensor.</returns>
    public static Tensor Of<T>(ReadOnlySpan<T> values, ReadOnlySpan<long> dims)
        where T : unmanaged =>
        new(ElementTypeOf<T>(), [.. dims], new MemoryTensorData(MemoryMarshal.AsBytes(values).ToArray()));

    /// <summary>Makes a one-axis tensor of a copy of numbers.</summary>
    /// <typeparam name="T">A number type that ONNX has.</typeparam>
    /// <param name="values">The elements.</param>
    /// <returns>The tensor.</returns>
    public static Tensor Vector<T>(params ReadOnlySpan<T> values)
        where T : unmanaged => Of(values, [values.Length]);

    /// <summary>Makes a tensor without axes.</summary>
    /// <typeparam name="T">A number type that ONNX has.</typeparam>
    /// <param name="value">The element.</param>
    /// <returns>The tensor.</returns>
    public static Tensor Scalar<T>(T value)
        where T : unmanaged => Of<T>([value], []);

    /// <summary>The ONNX element type of a .NET number type.</summary>
    /// <typeparam name="T">float, double, Half, bool or an integer type.</typeparam>
    /// <returns>The element type.</returns>
    /// <exception cref="NotSupportedException">ONNX has no such type.</exception>
    public static ElementType ElementTypeOf<T>()
        where T : unmanaged => default(T) switch
        {
            float => ElementType.Float,
            double => ElementType.Double,
            long => ElementType.Int64,
            int => ElementType.Int32,
            bool => ElementType.Bool,
            byte => ElementType.UInt8,
            sbyte => ElementType.Int8,
            ushort => ElementType.UInt16,
            short => ElementType.Int16,
            uint => ElementType.UInt32,
            ulong => ElementType.UInt64,
            Half => ElementType.Float16,
            _ => throw new NotSupportedException($"{typeof(T)} is no ONNX element type."),
        };

    /// <summary>The elements as numbers, without a copy; up to 2³¹ bytes.</summary>
    /// <typeparam name="T">The .NET type of <see cref="Type"/>.</typeparam>
    /// <returns>The elements, row-major.</returns>
    /// <exception cref="InvalidOperationException">The tensor has another element type.</exception>
    public ReadOnlySpan<T> Span<T>()
        where T : unmanaged
    {
        if (ElementTypeOf<T>() != Type)
            throw new InvalidOperationException($"Tensor '{Name}' holds {Type}, not {ElementTypeOf<T>()}.");
        return MemoryMarshal.Cast<byte, T>(Data.Slice(0, checked((int)Data.Length)));
    }

    /// <summary>The elements of an int32, int64 or bool tensor as int64 numbers.</summary>
    /// <returns>A new array.</returns>
    /// <exception cref="InvalidOperationException">The tensor has another element type.</exception>
    public long[] ToInt64() => Type switch
    {
        ElementType.Int64 => Span<long>().ToArray(),
        ElementType.Int32 => [.. Span<int>().ToArray().Select(static v => (long)v)],
        ElementType.Bool => [.. Span<bool>().ToArray().Select(static v => v ? 1L : 0L)],
        _ => throw new InvalidOperationException($"Tensor '{Name}' holds {Type}, not integers."),
    };

    /// <summary>The elements of a floating-point tensor as float32 numbers, rounded where they are wider.</summary>
    /// <returns>A new array.</returns>
    /// <exception cref="InvalidOperationException">The tensor is not of a floating-point type.</exception>
    public float[] ToFloat32()
    {
        var bytes = Data.Slice(0, checked((int)Data.Length));
        return Type switch
        {
            ElementType.Float => MemoryMarshal.Cast<byte, float>(bytes).ToArray(),
            ElementType.Double => Convert(MemoryMarshal.Cast<byte, double>(bytes), static v => (float)v),
            ElementType.Float16 => Convert(MemoryMarshal.Cast<byte, Half>(bytes), static v => (float)v),
            ElementType.BFloat16 => Convert(
                MemoryMarshal.Cast<byte, ushort>(bytes), static v => BitConverter.UInt32BitsToSingle((uint)v << 16)),
            _ => throw new InvalidOperationException($"Tensor '{Name}' holds {Type}, not floating-point numbers."),
        };
    }

    /// <summary>The same data under another name.</summary>
    /// <param name="name">The new name.</param>
    /// <returns>A tensor that shares the bytes.</returns>
    public Tensor WithName(string name) => new(Type, Dims, Data, name) { Unmodelled = Unmodelled };

    /// <summary>Type, axes and name, for messages.</summary>
    /// <returns>Such as <c>Float[768, 2304] 'h.0.attn.c_attn.weight'</c>.</returns>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Type}[{string.Join(", ", Dims)}] '{Name}'");

    private static float[] Convert<T>(ReadOnlySpan<T> source, Func<T, float> convert)
        where T : unmanaged
    {
        var result = new float[source.Length];
        for (var i = 0; i < result.Length; i++)
            result[i] = convert(source[i]);
        return result;
    }

    private static long ElementCount(ImmutableArray<long> dims)
    {
        long count = 1;
        foreach (var dim in dims)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(dim, nameof(dims));
            count = checked(count * dim);
        }

        return count;
    }
}
