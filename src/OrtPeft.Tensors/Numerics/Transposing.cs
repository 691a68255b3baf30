namespace OrtPeft.Tensors.Numerics;

/// <summary>Matrices with rows and columns exchanged.</summary>
internal static class Transposing
{
    /// <summary>The transposed matrix.</summary>
    /// <param name="matrix">[rows, columns] of any floating-point type.</param>
    /// <returns>[columns, rows] float32.</returns>
    public static Tensor Of(Tensor matrix)
    {
        ArgumentNullException.ThrowIfNull(matrix);
        return Tensor.Of<float>(Of(matrix.ToFloat32(), matrix.Dims.AsSpan()), [matrix.Dims[1], matrix.Dims[0]]);
    }

    /// <summary>The numbers of a transposed matrix, row by row.</summary>
    /// <param name="numbers">The matrix's, row by row.</param>
    /// <param name="dims">Its rows and columns.</param>
    public static float[] Of(ReadOnlySpan<float> numbers, ReadOnlySpan<long> dims)
    {
        var (rows, columns) = ((int)dims[0], (int)dims[1]);
        var transposed = new float[numbers.Length];
        for (var row = 0; row < rows; row++)
        {
            for (var column = 0; column < columns; column++)
                transposed[(column * rows) + row] = numbers[(row * columns) + column];
        }

        return transposed;
    }
}
