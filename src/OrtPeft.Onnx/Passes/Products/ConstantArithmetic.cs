using System.Collections.Immutable;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Passes.Products;

/// <summary>Arithmetic of constants that repeat along each other's axes, in float32 as ONNX Runtime computes it.</summary>
internal static class ConstantArithmetic
{
    /// <summary>A sum, product and so on of two constants of floats.</summary>
    /// <returns>The result; null where the types or axes do not fit.</returns>
    public static Tensor? Of(IReadOnlyList<Tensor?> inputs, Func<float, float, float> compute)
    {
        if (inputs is not [{ } left, { } right] || !left.Type.IsFloating() || !right.Type.IsFloating()
            || Broadcast(left.Dims, right.Dims) is not { } dims)
            return null;
        var (a, b) = (Repeated(left, dims), Repeated(right, dims));
        return ConstantValue.With(dims, [.. a.Zip(b, compute)]);
    }

    /// <summary>x / scale + zero, rounded to even and kept within 8 bits, the scales as for
    /// <see cref="Dequantized"/>.</summary>
    public static Tensor? Quantized(Node node, IReadOnlyList<Tensor?> inputs)
    {
        var stated = (ElementType)node.Attributes.Int("output_dtype", 0);
        var type = inputs.ElementAtOrDefault(2)?.Type ?? (stated == default ? ElementType.UInt8 : stated);
        if (!inputs[0]!.Type.IsFloating() || type is not (ElementType.Int8 or ElementType.UInt8))
            return null;
        var (least, most) = type == ElementType.Int8 ? (-128f, 127f) : (0f, 255f);
        if (Scaled(node, inputs, (x, scale, zero) => Math.Clamp(MathF.Round(x / scale) + zero, least, most)) is not { } numbers)
            return null;
        var dims = inputs[0]!.Dims.AsSpan();
        return type == ElementType.Int8
            ? Tensor.Of<sbyte>([.. numbers.Select(static n => (sbyte)n)], dims)
            : Tensor.Of<byte>([.. numbers.Select(static n => (byte)n)], dims);
    }

    /// <summary>(x − zero) · scale, the scales for all, along an axis or by blocks along it.</summary>
    public static Tensor? Dequantized(Node node, IReadOnlyList<Tensor?> inputs) =>
        Scaled(node, inputs, static (x, scale, zero) => (x - zero) * scale) is { } numbers
            ? ConstantValue.With(inputs[0]!.Dims, numbers)
            : null;

    /// <summary>The distance of neighbours along each axis, row-major.</summary>
    public static long[] Strides(ImmutableArray<long> dims)
    {
        var strides = new long[dims.Length];
        for (long axis = dims.Length - 1, step = 1; axis >= 0; step *= dims[(int)axis--])
            strides[axis] = step;
        return strides;
    }

    /// <summary>Picks numbers by steps along axes.</summary>
    public static float[] Gathered(float[] source, ImmutableArray<long> dims, long[] strides)
    {
        var result = new float[dims.Aggregate(1L, static (a, b) => checked(a * b))];
        var own = Strides(dims);
        for (var i = 0; i < result.Length; i++)
        {
            var at = 0L;
            for (var axis = 0; axis < dims.Length; axis++)
                at += i / own[axis] % dims[axis] * strides[axis];
            result[i] = source[at];
        }

        return result;
    }

    /// <summary>The result for each number, its scale and its zero point; null where these do not fit.</summary>
    private static float[]? Scaled(Node node, IReadOnlyList<Tensor?> inputs, Func<float, float, float, float> compute)
    {
        var (x, scales, zeros) = (inputs[0]!, inputs.ElementAtOrDefault(1), inputs.ElementAtOrDefault(2));
        if (scales is null || !scales.Type.IsFloating() || x.AsFloats() is not { } numbers)
            return null;
        var rank = x.Dims.Length;
        var axis = (int)node.Attributes.Int("axis", 1);
        axis = axis < 0 ? axis + rank : axis;
        var size = node.Attributes.Int("block_size", 0);
        if (size < 0 || axis < 0 || (axis >= rank && scales.Count > 1)
            || (zeros is not null && (zeros.Count != scales.Count || zeros.AsFloats() is null)))
            return null;
        var (factors, shifts) = (scales.ToFloat32(), zeros?.AsFloats()!.ToFloat32());
        if (IndexOfScale(x.Dims, scales, axis, size) is not { } indexOf)
            return null;
        var values = numbers.ToFloat32();
        for (var i = 0; i < values.Length; i++)
        {
            var at = indexOf(i);
            values[i] = compute(values[i], factors[at], shifts is null ? 0 : shifts[at]);
        }

        return values;
    }

    private static Func<int, int>? IndexOfScale(ImmutableArray<long> dims, Tensor scales, int axis, long size)
    {
        if (scales.Count == 1)
            return static _ => 0;
        var inner = dims.Skip(axis + 1).Aggregate(1L, static (a, b) => a * b);
        if (size == 0)
            return scales.Dims.Length == 1 && scales.Count == dims[axis] ? i => (int)(i / inner % dims[axis]) : null;
        var blocks = (dims[axis] + size - 1) / size;
        return scales.Dims.SequenceEqual(dims.SetItem(axis, blocks))
            ? i => (int)((i / (inner * dims[axis]) * blocks * inner) + (i / inner % dims[axis] / size * inner) + (i % inner))
            : null;
    }

    private static ImmutableArray<long>? Broadcast(ImmutableArray<long> left, ImmutableArray<long> right)
    {
        var dims = new long[Math.Max(left.Length, right.Length)];
        for (var i = 1; i <= dims.Length; i++)
        {
            var (a, b) = (i <= left.Length ? left[^i] : 1, i <= right.Length ? right[^i] : 1);
            if (a != b && a != 1 && b != 1)
                return null;
            dims[^i] = a == 1 ? b : a;
        }

        return dims.Aggregate((Int128)1, static (a, b) => a * b) <= Array.MaxLength ? [.. dims] : null;
    }

    private static float[] Repeated(Tensor x, ImmutableArray<long> dims)
    {
        if (x.Dims.SequenceEqual(dims))
            return x.ToFloat32();
        var (own, strides) = (Strides(x.Dims), new long[dims.Length]);
        for (var i = 1; i <= x.Dims.Length; i++)
            strides[^i] = x.Dims[^i] == 1 ? 0 : own[^i];
        return Gathered(x.ToFloat32(), dims, strides);
    }
}
