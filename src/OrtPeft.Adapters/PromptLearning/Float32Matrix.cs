using System.Numerics.Tensors;

using Tensor = OrtPeft.Tensors.Tensor;

namespace OrtPeft.Adapters.PromptLearning;

/// <summary>A matrix of float32 in managed memory; a vector is one row.</summary>
/// <param name="Rows">The rows.</param>
/// <param name="Columns">The columns.</param>
/// <param name="Elements">Row by row.</param>
internal sealed record Float32Matrix(int Rows, int Columns, float[] Elements)
{
    public static Float32Matrix Of(Tensor tensor)
    {
        var columns = tensor.Dims.Length == 0 ? 1 : (int)tensor.Dims[^1];
        return new Float32Matrix((int)(tensor.Count / Math.Max(columns, 1)), columns, tensor.ToFloat32());
    }

    public Tensor ToTensor() => Tensor.Of<float>(Elements, [Rows, Columns]);

    public Span<float> Row(int row) => Elements.AsSpan(row * Columns, Columns);

    public Float32Matrix Select(Func<float, float> function) => this with { Elements = [.. Elements.Select(function)] };

    /// <summary>Element by element; one row goes with every row.</summary>
    public Float32Matrix Zip(Float32Matrix other, Func<float, float, float> function)
    {
        if (Rows < other.Rows)
            return other.Zip(this, (a, b) => function(b, a));
        var result = new float[Elements.Length];
        for (var i = 0; i < result.Length; i++)
            result[i] = function(Elements[i], other.Elements[i % other.Elements.Length]);
        return this with { Elements = result };
    }

    /// <summary>this · otherᵀ.</summary>
    public Float32Matrix TimesTransposed(Float32Matrix other)
    {
        var result = new Float32Matrix(Rows, other.Rows, new float[checked(Rows * other.Rows)]);
        for (var i = 0; i < Rows; i++)
            for (var j = 0; j < other.Rows; j++)
                result.Row(i)[j] = TensorPrimitives.Dot<float>(Row(i), other.Row(j));
        return result;
    }

    /// <summary>A piece along the rows (axis 0) or the columns (axis 1).</summary>
    public Float32Matrix Part(int axis, int start, int length)
    {
        if (axis == 0)
            return new Float32Matrix(length, Columns, Elements[(start * Columns)..((start + length) * Columns)]);
        var result = new Float32Matrix(Rows, length, new float[checked(Rows * length)]);
        for (var row = 0; row < Rows; row++)
            Row(row).Slice(start, length).CopyTo(result.Row(row));
        return result;
    }

    /// <summary>Matrices one under another (axis 0) or side by side (axis 1).</summary>
    public static Float32Matrix Concat(int axis, IReadOnlyList<Float32Matrix> parts)
    {
        if (axis == 0)
        {
            var rows = parts.Sum(static p => p.Rows);
            return new Float32Matrix(rows, parts[0].Columns, [.. parts.SelectMany(static p => p.Elements)]);
        }

        var columns = parts.Sum(static p => p.Columns);
        var result = new Float32Matrix(parts[0].Rows, columns, new float[checked(parts[0].Rows * columns)]);
        for (var row = 0; row < result.Rows; row++)
        {
            var at = 0;
            foreach (var part in parts)
            {
                part.Row(row).CopyTo(result.Row(row)[at..]);
                at += part.Columns;
            }
        }

        return result;
    }
}
