using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Onnx.Quantization;

/// <summary>
/// Quantises a matrix that has changed by the scheme that it had: bits, blocks, sign, zero points. Blocks that have not
/// changed keep their integers and scales; each other one takes the scale that loses least, its old one among them.
/// </summary>
internal sealed class Requantizer
{
    private readonly QuantizedTensor _old;
    private readonly Blocks _blocks;
    private readonly int _lowest;
    private readonly int _highest;
    private readonly bool _isSymmetric;

    /// <summary>Takes over a scheme.</summary>
    /// <param name="old">The matrix as it was; its codes are integers.</param>
    /// <param name="bits">The width of an integer, which may be stored in more.</param>
    public Requantizer(QuantizedTensor old, int bits)
    {
        _old = old;
        _blocks = new Blocks(
            checked((int)old.Values.Dims[0]), checked((int)old.Values.Dims[1]), old.Axis, old.BlockSize);
        _lowest = old.IsSigned ? -(1 << (bits - 1)) : 0;
        _highest = _lowest + (1 << bits) - 1;
        _isSymmetric = old.IsSigned && old.ZeroPointsToFloat32().All(static z => z == 0);
    }

    /// <summary>Whether scales and zero points stay, as where others read them too; false by default.</summary>
    public bool KeepsScales { get; init; }

    /// <summary>The change of a scale when it is stored, such as rounding to float16; none by default.</summary>
    public Func<float, float> Stored { get; init; } = static scale => scale;

    /// <summary>Quantises.</summary>
    /// <param name="content">The changed matrix, row-major.</param>
    /// <returns>It in the scheme; the error is relative to the change.</returns>
    public QuantizedTensor Of(float[] content)
    {
        var before = _old.ToFloat32().ToFloat32();
        var values = PackedIntegers.BytesOf(_old.Values).ToArray();
        var scales = _old.Scales.ToFloat32();
        var zeros = _old.ZeroPoints is { } z ? PackedIntegers.BytesOf(z).ToArray() : null;
        var (lost, all) = (0.0, 0.0);
        foreach (var (start, step, count, block) in Lines())
        {
            var numbers = new float[count];
            var change = 0.0;
            for (var i = 0; i < count; i++)
            {
                numbers[i] = content[start + (i * step)];
                change += Square(numbers[i] - before[start + (i * step)]);
            }

            if (change == 0)
                continue;
            var zero = zeros is null ? 0 : PackedIntegers.Get(zeros, _old.Values.Type, block);
            var best = Candidates(numbers, scales[block], zero).MinBy(c => ErrorOf(numbers, c));
            scales[block] = best.Scale;
            if (zeros is not null)
                PackedIntegers.Set(zeros, _old.Values.Type, block, best.Zero);
            for (var i = 0; i < count; i++)
                PackedIntegers.Set(values, _old.Values.Type, start + (i * step), Code(numbers[i], best));
            lost += ErrorOf(numbers, best);
            all += change;
        }

        return _old with
        {
            Values = new Tensor(_old.Values.Type, _old.Values.Dims, new MemoryTensorData(values)),
            Scales = Tensor.Of<float>(scales, _old.Scales.Dims.AsSpan()),
            ZeroPoints = zeros is null
                ? null
                : new Tensor(_old.ZeroPoints!.Type, _old.ZeroPoints.Dims, new MemoryTensorData(zeros)),
            RelativeError = all > 0 ? Math.Sqrt(lost / all) : 0,
        };
    }

    /// <summary>Where each block's elements lie.</summary>
    private IEnumerable<(int Start, int Step, int Count, int Block)> Lines()
    {
        var (rows, columns, size) = (_blocks.Rows, _blocks.Columns, _old.BlockSize);
        var (lines, length, step) = _old.Axis == 0 ? (columns, rows, columns) : (rows, columns, 1);
        for (var line = 0; line < lines; line++)
        {
            for (var first = 0; first < length; first += size)
            {
                var start = _old.Axis == 0 ? (first * columns) + line : (line * columns) + first;
                yield return (start, step, Math.Min(size, length - first), _blocks.At(start / columns, start % columns));
            }
        }
    }

    /// <summary>
    /// The old scale; the one that makes the largest number the most negative integer, as ONNX Runtime's quantiser has
    /// it; the one that makes it the most positive; with zero points, the one that spans the range.
    /// </summary>
    private List<(float Scale, int Zero)> Candidates(float[] numbers, float scale, int zero)
    {
        var found = new List<(float, int)> { (scale, zero) };
        if (KeepsScales)
            return found;
        var (least, most) = (Math.Min(0, numbers.Min()), Math.Max(0, numbers.Max()));
        var largest = -least > most ? least : most;
        if (_isSymmetric)
        {
            found.Add((Stored(largest / _lowest), 0));
            found.Add((Stored(MathF.Abs(largest) / _highest), 0));
        }
        else if (Stored((most - least) / (_highest - _lowest)) is > 0 and var step)
        {
            var middle = _old.ZeroPoints is null ? zero : (int)MathF.Round(_lowest - (least / step));
            found.Add((step, Math.Clamp(middle, _lowest, _highest)));
        }

        found.RemoveAll(static c => !float.IsFinite(c.Item1)); // beyond the type that scales are stored in
        return found;
    }

    private int Code(float number, (float Scale, int Zero) scheme) => scheme.Scale == 0
        ? scheme.Zero
        : (int)Math.Clamp(MathF.Round(number / scheme.Scale) + scheme.Zero, _lowest, _highest);

    private double ErrorOf(float[] numbers, (float Scale, int Zero) scheme) =>
        numbers.Sum(n => Square(n - (scheme.Scale * (Code(n, scheme) - scheme.Zero))));

    private static double Square(float x) => (double)x * x;
}
