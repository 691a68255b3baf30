using Microsoft.ML.OnnxRuntime;
using OrtPeft.Autodiff.Tests.Proof;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Autodiff.Tests.Passes;

/// <summary>
/// The masks of lowered dropouts, run in ONNX Runtime over ones, and the statistics that they are judged by.
/// </summary>
internal sealed class DropoutMask
{
    public const int Width = 512;

    private readonly bool[] _kept;
    private readonly double _mean;

    private DropoutMask(bool[] kept)
    {
        _kept = kept;
        _mean = kept.Count(static k => k) / (double)kept.Length;
    }

    public IReadOnlyList<bool> Kept => _kept;

    /// <summary>How many standard deviations the kept fraction lies off its expectation.</summary>
    public double FractionDeviations(double ratio) =>
        (_mean - (1 - ratio)) / Math.Sqrt(ratio * (1 - ratio) / _kept.Length);

    /// <summary>
    /// The correlation of elements that lie a stride apart, in standard deviations: of n independent pairs it has the
    /// deviation 1/√n.
    /// </summary>
    public double CorrelationDeviations(int stride) =>
        CorrelationDeviations(_kept.AsSpan(stride), _kept.AsSpan(..^stride));

    /// <summary>The correlation with the same places of another mask, in standard deviations.</summary>
    public double CorrelationDeviations(DropoutMask other) => CorrelationDeviations(_kept, other._kept);

    /// <summary>
    /// χ² of the kept counts of lines of elements, in standard deviations: of k lines it is k ± √(2k).
    /// </summary>
    /// <param name="lineOf">The line that an element belongs to, from 0.</param>
    /// <param name="lines">How many lines of equal length.</param>
    public double ChiSquareDeviations(Func<int, int> lineOf, int lines)
    {
        var counts = new double[lines];
        for (var i = 0; i < _kept.Length; i++)
            counts[lineOf(i)] += _kept[i] ? 1 : 0;
        var length = _kept.Length / (double)lines;
        var variance = length * _mean * (1 - _mean);
        var chiSquare = counts.Sum(c => Math.Pow(c - (length * _mean), 2) / variance);
        return (chiSquare - lines) / Math.Sqrt(2.0 * lines);
    }

    /// <summary>χ² of the 256 patterns of eight neighbours, in standard deviations.</summary>
    public double PatternDeviations()
    {
        var counts = new double[256];
        for (var i = 0; i + 8 <= _kept.Length; i += 8)
            counts[_kept.AsSpan(i, 8).ToArray().Aggregate(0, static (p, k) => (2 * p) + (k ? 1 : 0))]++;
        var chiSquare = counts.Select((c, p) => Math.Pow(c - Expected(p), 2) / Expected(p)).Sum();
        return (chiSquare - 255) / Math.Sqrt(2.0 * 255);
    }

    /// <summary>Masks of [512, 512], one per dropout of a model with several.</summary>
    public static IReadOnlyList<DropoutMask> Of(
        double ratio,
        long seed,
        int dropouts = 1,
        GraphOptimizationLevel optimization = GraphOptimizationLevel.ORT_DISABLE_ALL)
    {
        using var session = new TestSession(Lowered(ratio, dropouts), optimization);
        session.Feed("x", Enumerable.Repeat(1f, Width * Width).ToArray(), Width, Width);
        session.Feed(SeededBits.SeedInput, [seed]);
        var results = session.Run<float>([.. Enumerable.Range(0, dropouts).Select(static i => $"y{i}")]);
        var scale = (float)(1 / (1 - (float)ratio));
        Assert.All(results, r => Assert.True(Array.TrueForAll(r.Elements, e => e == 0 || e == scale)));
        return [.. results.Select(static r => new DropoutMask([.. r.Elements.Select(static e => e != 0)]))];
    }

    private static Model Lowered(double ratio, int dropouts)
    {
        var model = new Model(GradientModel.Opset);
        var shapes = new ShapeInference(GradientModel.Opset);
        var g = new GraphBuilder(model.Graph, shapes);
        var x = model.Graph.AddInput("x", ElementType.Float, [Dim.Named("rows"), Dim.Named("columns")]);
        for (var i = 0; i < dropouts; i++)
        {
            var y = g.Op("Dropout", x, g.Scalar(ElementType.Float, ratio), g.Scalar(ElementType.Bool, 1));
            model.Graph.Rename(y, $"y{i}");
            model.Graph.AddOutput(y);
        }

        DropoutLowering.ForTraining(model, shapes);
        return model;
    }

    private static double CorrelationDeviations(ReadOnlySpan<bool> a, ReadOnlySpan<bool> b)
    {
        var (both, left, right) = (0, 0, 0);
        for (var i = 0; i < a.Length; i++)
        {
            both += a[i] && b[i] ? 1 : 0;
            left += a[i] ? 1 : 0;
            right += b[i] ? 1 : 0;
        }

        var (p, q) = (left / (double)a.Length, right / (double)a.Length);
        return (both - (a.Length * p * q)) / Math.Sqrt(a.Length * p * (1 - p) * q * (1 - q));
    }

    private double Expected(int pattern)
    {
        var ones = int.PopCount(pattern);
        return _kept.Length / 8.0 * Math.Pow(_mean, ones) * Math.Pow(1 - _mean, 8 - ones);
    }
}
