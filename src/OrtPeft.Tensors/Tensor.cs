using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.InteropServices;
using OrtPeft.Tensors.Numerics;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Tensors;

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
    /// The rest of what the file said of the tensor, beyond the members here, as protobuf bytes; written back on
    /// saving.
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
            _ => throw new NotSupportedException($"{typeof(T)} is not an ONNX element type."),
        };

    /// <summary>
    /// The elements as numbers, for as long as the caller wants: a copy unless they lie in managed memory.
    /// </summary>
    /// <typeparam name="T">The .NET type of <see cref="Type"/>.</typeparam>
    /// <returns>The elements, row-major.</returns>
    /// <exception cref="InvalidOperationException">The tensor has another element type.</exception>
    /// <exception cref="OnnxFormatException">They take 2 GiB or more.</exception>
    public ReadOnlySpan<T> Span<T>()
        where T : unmanaged
    {
        MustHold<T>();
        return MemoryMarshal.Cast<byte, T>(Data.Slice(0, ByteCount()));
    }

    /// <summary>Shows the elements where they lie, without a copy.</summary>
    /// <typeparam name="T">The .NET type of <see cref="Type"/>.</typeparam>
    /// <typeparam name="TResult">What is found out.</typeparam>
    /// <param name="read">Gets the elements, row-major, which are there until it returns.</param>
    /// <returns>What <paramref name="read"/> returns.</returns>
    /// <exception cref="InvalidOperationException">The tensor has another element type.</exception>
    /// <exception cref="OnnxFormatException">They take 2 GiB or more.</exception>
    public TResult View<T, TResult>(Func<ReadOnlySpan<T>, TResult> read)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(read);
        MustHold<T>();
        return Data.View(0, ByteCount(), bytes => read(MemoryMarshal.Cast<byte, T>(bytes)));
    }

    /// <summary>Copies the elements.</summary>
    /// <typeparam name="T">The .NET type of <see cref="Type"/>.</typeparam>
    /// <param name="target">Receives them, row-major; has room for all.</param>
    /// <exception cref="InvalidOperationException">The tensor has another element type.</exception>
    public void CopyTo<T>(Span<T> target)
        where T : unmanaged
    {
        MustHold<T>();
        Data.Read(0, MemoryMarshal.AsBytes(target)[..ByteCount()]);
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
        MustBeFloating();
        return Data.View(0, ByteCount(), bytes =>
        {
            var result = new float[Count];
            FloatingPoint.Convert(Type, bytes, result);
            return result;
        });
    }

    /// <summary>
    /// A floating-point tensor in float32, rounded where it is wider. It is converted whenever it is read, so that the
    /// numbers take no memory of their own.
    /// </summary>
    /// <returns>The tensor itself where it is float32 already.</returns>
    /// <exception cref="InvalidOperationException">The tensor is not of a floating-point type.</exception>
    public Tensor Widened()
    {
        MustBeFloating();
        return Type == ElementType.Float
            ? this
            : new Tensor(ElementType.Float, Dims, new WidenedTensorData(this), Name);
    }

    /// <summary>The same data under another name.</summary>
    /// <param name="name">The new name.</param>
    /// <returns>A tensor that shares the bytes.</returns>
    public Tensor WithName(string name) => new(Type, Dims, Data, name) { Unmodelled = Unmodelled };

    /// <summary>Type, axes and name, for messages.</summary>
    /// <returns>Such as <c>Float[768, 2304] 'h.0.attn.c_attn.weight'</c>.</returns>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Type}[{string.Join(", ", Dims)}] '{Name}'");

    private void MustBeFloating()
    {
        if (!Type.IsFloating())
            throw new InvalidOperationException($"Tensor '{Name}' holds {Type}, not floating-point numbers.");
    }

    private void MustHold<T>()
        where T : unmanaged
    {
        if (ElementTypeOf<T>() != Type)
            throw new InvalidOperationException($"Tensor '{Name}' holds {Type}, not {ElementTypeOf<T>()}.");
    }

    private int ByteCount() => Data.Length <= Array.MaxLength ? (int)Data.Length : throw new OnnxFormatException(
        $"{this} takes {Data.Length} bytes; OrtPeft reads tensors below 2 GiB as a whole: use smaller ones.");

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
