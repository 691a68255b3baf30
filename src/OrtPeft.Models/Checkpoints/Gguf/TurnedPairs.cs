namespace OrtPeft.Models.Checkpoints.Gguf;

/// <summary>
/// Where rows of queries and keys stand in files of llama.cpp's Llama: the two numbers of a rotary pair are side by side
/// there, where HF has all first ones before all second ones.
/// </summary>
internal static class TurnedPairs
{
    /// <summary>The place in the file of a row of HF's.</summary>
    /// <param name="row">HF's row.</param>
    /// <param name="size">Rows of a head.</param>
    public static int PlaceOf(int row, int size) =>
        (row / size * size) + (row % (size / 2) * 2) + (row % size / (size / 2));

    /// <summary>HF's rows put in their places.</summary>
    /// <param name="numbers">A matrix or a vector, row after row.</param>
    /// <param name="rows">Its rows.</param>
    /// <param name="heads">Heads of equally many rows.</param>
    public static float[] Placed(float[] numbers, int rows, int heads)
    {
        var (size, columns) = (rows / heads, numbers.Length / rows);
        var placed = new float[numbers.Length];
        for (var row = 0; row < rows; row++)
            Array.Copy(numbers, row * columns, placed, PlaceOf(row, size) * columns, columns);
        return placed;
    }

    /// <summary>The rows of the file in HF's places.</summary>
    /// <param name="numbers">A matrix or a vector, row after row.</param>
    /// <param name="rows">Its rows.</param>
    /// <param name="heads">Heads of equally many rows.</param>
    public static float[] Restored(float[] numbers, int rows, int heads)
    {
        var (size, columns) = (rows / heads, numbers.Length / rows);
        var restored = new float[numbers.Length];
        for (var row = 0; row < rows; row++)
            Array.Copy(numbers, PlaceOf(row, size) * columns, restored, row * columns, columns);
        return restored;
    }
}
