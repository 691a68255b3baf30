using System.Globalization;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Inspection;

/// <summary>Statistics of the numbers of an adapter's tensor, as float32.</summary>
/// <param name="Name">Its name on disk.</param>
/// <param name="Tensor">The tensor.</param>
public sealed record TensorStatistics(string Name, Tensor Tensor)
{
    /// <summary>The Frobenius norm; null where it holds NaN or infinity, or no floating-point numbers.</summary>
    public double? Norm { get; private init; }

    /// <summary>The largest magnitude of the finite elements.</summary>
    public double Largest { get; private init; }

    /// <summary>How many elements are NaN or infinite.</summary>
    public long NonFinite { get; private init; }

    /// <summary>Whether it has elements and all of them are 0.</summary>
    public bool IsZero => Norm == 0 && Tensor.Count > 0;

    /// <summary>The fault in its numbers, as a sentence; null where all are finite.</summary>
    public string? Fault => NonFinite == 0 ? null : string.Create(
        CultureInfo.InvariantCulture,
        $"'{Name}' holds {NonFinite} NaN or infinite of {Tensor.Count} values; take an adapter from before training failed.");

    /// <summary>Reads a tensor, a piece at a time.</summary>
    /// <param name="name">Its name on disk.</param>
    /// <param name="tensor">The tensor.</param>
    /// <returns>The statistics.</returns>
    public static TensorStatistics Of(string name, Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (!tensor.Type.IsFloating())
            return new TensorStatistics(name, tensor);
        var pieces = new TensorPieces(tensor);
        var (squares, largest, nonFinite) = (0.0, 0.0, 0L);
        for (long at = 0; at < tensor.Count;)
        {
            var piece = pieces.From(at);
            foreach (double value in piece)
            {
                if (!double.IsFinite(value))
                {
                    nonFinite++;
                    continue;
                }

                squares += value * value;
                largest = Math.Max(largest, Math.Abs(value));
            }

            at += piece.Length;
        }

        return new TensorStatistics(name, tensor)
        {
            Norm = nonFinite == 0 ? Math.Sqrt(squares) : null,
            Largest = largest,
            NonFinite = nonFinite,
        };
    }
}
