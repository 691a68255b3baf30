using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Inspection;

/// <summary>How a tensor of one adapter differs from that of the same name in another, as float32.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="First">The first adapter's.</param>
/// <param name="Second">The second one's.</param>
public sealed record TensorDifference(string Name, Tensor First, Tensor Second)
{
    /// <summary>Whether the elements can be compared: both have one shape and floating-point numbers.</summary>
    public bool IsComparable => First.Type.IsFloating() && Second.Type.IsFloating() && First.Dims.SequenceEqual(Second.Dims);

    /// <summary>How many elements differ; two that are NaN do not. All of them where they cannot be compared.</summary>
    public long Differing { get; private init; }

    /// <summary>The largest difference of two elements; null where one is NaN or infinite, or not compared.</summary>
    public double? Largest { get; private init; }

    /// <summary>The norm of the difference, divided by the larger of both norms; null as <see cref="Largest"/>.</summary>
    public double? Relative { get; private init; }

    /// <summary>Compares two tensors, a piece at a time.</summary>
    /// <param name="name">Their name.</param>
    /// <param name="first">One.</param>
    /// <param name="second">The other.</param>
    /// <returns>The difference.</returns>
    public static TensorDifference Of(string name, Tensor first, Tensor second)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        var difference = new TensorDifference(name, first, second);
        if (!difference.IsComparable)
            return difference with { Differing = Math.Max(1, Math.Max(first.Count, second.Count)) };
        var (pieces, others) = (new TensorPieces(first), new TensorPieces(second));
        var (differing, largest, squares, ofFirst, ofSecond) = (0L, 0.0, 0.0, 0.0, 0.0);
        for (long at = 0; at < first.Count;)
        {
            var piece = pieces.From(at);
            var other = others.From(at);
            for (var i = 0; i < piece.Length; i++)
            {
                double a = piece[i], b = other[i];
                ofFirst += a * a;
                ofSecond += b * b;
                if (a.Equals(b))
                    continue;
                differing++;
                largest = Math.Max(largest, Math.Abs(a - b));
                squares += (a - b) * (a - b);
            }

            at += piece.Length;
        }

        var norm = Math.Sqrt(Math.Max(ofFirst, ofSecond));
        return difference with
        {
            Differing = differing,
            Largest = double.IsFinite(largest) ? largest : null,
            Relative = squares == 0 ? 0 : double.IsFinite(squares) && double.IsFinite(norm) ? Math.Sqrt(squares) / norm : null,
        };
    }
}
