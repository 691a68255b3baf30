using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Compilation.Graphs;

/// <summary>
/// The Euclidean norm of a long float32 vector. One float32 sum over all of it stops growing where squares fall below
/// its last digit: ONNX Runtime's is 8e-5 too small at 2.4 million elements, 2e-2 at 100 million. So squares are summed
/// in pieces, and the pieces' sums in float64.
/// </summary>
internal static class GlobalNorm
{
    /// <summary>How many squares one float32 sum takes; any number around it does where it divides the length.</summary>
    private const long Piece = 4096;

    /// <summary>Adds the norm.</summary>
    /// <param name="vector"><c>[length] float32</c>.</param>
    /// <param name="length">How many elements it has.</param>
    /// <returns>The norm, <c>[] float32</c>.</returns>
    public static Term Of(Term vector, long length)
    {
        if (length <= Piece)
            return Sqrt(Squares(vector));
        if (PieceOf(length) is { } piece)
            return Sqrt(InPieces(vector, piece));
        var g = vector.Builder;
        var whole = length - (length % Piece);
        var parts = g.Ops("Split", 2, [vector, g.Int64(whole, length - whole)], []);
        return Sqrt(InPieces(g.Term(parts[0]), Piece) + Squares(g.Term(parts[1])));
    }

    private static Term Squares(Term vector) => vector.Builder.Term(
        vector.Builder.Op("ReduceSumSquare", [vector], NodeAttribute.Of("keepdims", 0L)));

    /// <summary>The sum, added up in float64. Squares first: ONNX Runtime's sum over rows is faster than that of squares.</summary>
    private static Term InPieces(Term vector, long piece)
    {
        var sums = Sum(Reshape(vector * vector, -1, piece), [1], keepDims: false);
        return Cast(Sum(Cast(sums, ElementType.Double)), ElementType.Float);
    }

    /// <summary>A divisor of the length near <see cref="Piece"/>: with one, no part has to be copied.</summary>
    private static long? PieceOf(long length)
    {
        for (var distance = 0L; distance < Piece; distance++)
        {
            if (length % (Piece + distance) == 0)
                return Piece + distance;
            if (distance < Piece / 2 && length % (Piece - distance) == 0)
                return Piece - distance;
        }

        return null;
    }
}
