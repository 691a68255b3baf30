using Microsoft.ML.OnnxRuntime;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;

namespace OrtPeft.Runtime.Feeding;

/// <summary>
/// A mask of 0 and 1 per token in the form that a graph takes: of two axes, or of more as attention adds or tests it.
/// An axis that spans a cache of a fixed length is filled up with 0.
/// </summary>
internal static class MaskFeed
{
    /// <summary>Makes the value.</summary>
    /// <param name="input">The graph's input.</param>
    /// <param name="mask">1 where a token counts, <c>[rows, past + columns]</c>.</param>
    /// <param name="rows">Sequences.</param>
    /// <param name="columns">Tokens of each that are run.</param>
    /// <returns>The value; the caller disposes it.</returns>
    public static OrtValue Of(Value input, long[] mask, int rows, int columns)
    {
        var known = mask.Length / rows;
        var shape = input.Shape;
        var total = Math.Max(known, shape?[shape.Rank - 1].ToCount() ?? 0);
        if (shape is not { Rank: 3 or 4 })
            return IntegerFeed.Of(input.Type, Filled(mask, rows, known, total), rows, total);
        var heads = shape.Rank == 4 ? shape[1].ToCount() ?? 1 : 1;
        var queries = shape[shape.Rank - 2].Value == 1 ? 1 : columns;
        long[] dims = shape.Rank == 4 ? [rows, heads, queries, total] : [rows, queries, total];
        var seen = new long[FeedSize.Of(rows, heads, queries, total)];
        for (var i = 0; i < seen.Length; i++)
        {
            var (key, query, row) = (i % total, i / total % queries, i / total / queries / heads);
            var place = known - columns + query;
            var isSeen = key < known && mask[(row * known) + key] != 0;
            seen[i] = queries == 1 ? (isSeen ? 1 : 0) : (isSeen && key <= place) || key == place ? 1 : 0;
        }

        return RowInputs.IsAdded(input)
            ? TensorValues.Over(Array.ConvertAll(seen, static s => s != 0 ? 0 : float.MinValue), dims)
            : IntegerFeed.Of(input.Type, seen, dims);
    }

    private static long[] Filled(long[] mask, int rows, int known, int total)
    {
        if (known == total)
            return mask;
        var filled = new long[FeedSize.Of(rows, total)];
        for (var row = 0; row < rows; row++)
            mask.AsSpan(row * known, known).CopyTo(filled.AsSpan(row * total));
        return filled;
    }
}
