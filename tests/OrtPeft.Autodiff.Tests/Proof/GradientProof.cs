using Microsoft.ML.OnnxRuntime;
using OrtPeft.Tensors;

namespace OrtPeft.Autodiff.Tests.Proof;

/// <summary>
/// Proves a gradient: the graph and its gradient run in ONNX Runtime, in float64, and every element of the gradient is
/// compared with the central difference of the loss.
/// </summary>
internal static class GradientProof
{
    /// <summary>
    /// Differences are good to about 1e-9 at the cases' points (see <see cref="GradientCase.Step"/>); a wrong factor or
    /// a float32 number on the way shows well above.
    /// </summary>
    private const double Tolerance = 1e-7;

    /// <summary>Compares the gradient with central differences, without optimisation by ONNX Runtime.</summary>
    /// <returns>The gradients, one per floating-point input.</returns>
    public static IReadOnlyList<double[]> ByDifferences(
        GradientCase row, ShapeKnowledge knowledge = ShapeKnowledge.Lengths)
    {
        using var session = new TestSession(GradientModel.Build(row, ElementType.Double, knowledge));
        var x = Feed(session, row, static v => v);
        var gradients = Gradients<double>(session, row);
        foreach (var (place, gradient) in gradients)
        {
            for (var i = 0; i < gradient.Length; i++)
                Check(row, session, x[place], place, i, gradient[i]);
        }

        return [.. gradients.Select(static g => g.Elements)];
    }

    /// <summary>Compares the gradient after ONNX Runtime's optimisation with the one before it.</summary>
    public static void WhenOptimized(GradientCase row, IReadOnlyList<double[]> expected)
    {
        var model = GradientModel.Build(row, ElementType.Double);
        using var session = new TestSession(model, GraphOptimizationLevel.ORT_ENABLE_ALL);
        Feed(session, row, static v => v);
        Compare(row, expected, [.. Gradients<double>(session, row).Select(static g => g.Elements)], 1e-11);
    }

    /// <summary>
    /// Compares the float32 gradient, made of the operators that training runs, with the float64 one.
    /// </summary>
    public static void InFloat32(GradientCase row, IReadOnlyList<double[]> expected)
    {
        var model = GradientModel.Build(row, ElementType.Float);
        using var session = new TestSession(model, GraphOptimizationLevel.ORT_ENABLE_ALL);
        Feed(session, row, static v => (float)v);
        var gradients = Gradients<float>(session, row).Select(static g => g.Elements);
        Compare(row, expected, [.. gradients.Select(static g => Array.ConvertAll(g, static e => (double)e))], 2e-5);
    }

    /// <summary>
    /// Compares the loss that float32 kernels compute with the float64 one, whose operators may be spelled otherwise.
    /// </summary>
    public static void LossInFloat32(GradientCase row)
    {
        var expected = Loss(row, ElementType.Double, static v => v);
        var actual = Loss(row, ElementType.Float, static v => (float)v);
        var text = $"{row.Name}: the loss is {actual:R}, not {expected:R}.";
        Assert.True(Math.Abs(actual - expected) <= 1e-4 * (1 + Math.Abs(expected)), text);
    }

    private static double Loss<T>(GradientCase row, ElementType type, Func<double, T> convert)
        where T : unmanaged
    {
        using var session = new TestSession(GradientModel.Build(row, type));
        Feed(session, row, convert);
        return session.Run<double>("loss")[0];
    }

    public static double[][] Feed<T>(TestSession session, GradientCase row, Func<double, T> convert)
        where T : unmanaged
    {
        var values = row.Inputs.Select(static (input, i) => input.Values(i)).ToArray();
        foreach (var (i, input) in row.Inputs.Index())
            FeedOne(session, $"x{i}", input, values[i], convert);
        return values;
    }

    private static void FeedOne<T>(
        TestSession session, string name, TestInput input, double[] values, Func<double, T> convert)
        where T : unmanaged
    {
        switch (input.Type)
        {
            case null when values is T[] same:
                session.Feed(name, same, input.Dims);
                break;
            case null:
                session.Feed(name, Array.ConvertAll(values, v => convert(v)), input.Dims);
                break;
            case ElementType.Int64:
                session.Feed(name, Array.ConvertAll(values, static v => (long)v), input.Dims);
                break;
            case ElementType.Int32:
                session.Feed(name, Array.ConvertAll(values, static v => (int)v), input.Dims);
                break;
            case ElementType.Bool:
                session.Feed(name, Array.ConvertAll(values, static v => v != 0), input.Dims);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(input), input.Type, "No test feeds this type.");
        }
    }

    private static List<(int Place, T[] Elements)> Gradients<T>(TestSession session, GradientCase row)
        where T : unmanaged
    {
        var places = Enumerable.Range(0, row.Inputs.Count).Where(i => row.Inputs[i].IsDifferentiated).ToArray();
        var results = session.Run<T>([.. places.Select(static i => $"d{i}")]);
        foreach (var (place, result) in places.Zip(results))
            Assert.Equal(row.Inputs[place].Dims, result.Dims);
        return [.. places.Zip(results, static (place, result) => (place, result.Elements))];
    }

    private static void Check(GradientCase row, TestSession session, double[] x, int place, int i, double gradient)
    {
        if (!double.IsFinite(x[i]))
        {
            Assert.True(double.IsFinite(gradient), $"{row.Name}: d{place}[{i}] is {gradient} at {x[i]}.");
            return;
        }

        var (at, step) = (x[i], row.Step * Math.Max(1, Math.Abs(x[i])));
        x[i] = at + step;
        var above = session.Run<double>("loss")[0];
        var up = x[i];
        x[i] = at - step;
        var difference = (above - session.Run<double>("loss")[0]) / (up - x[i]);
        x[i] = at;
        var text = $"{row.Name}: d{place}[{i}] is {gradient:R}, the central difference {difference:R}.";
        Assert.True(Math.Abs(gradient - difference) <= Tolerance * (1 + Math.Abs(difference)), text);
    }

    private static void Compare(
        GradientCase row, IReadOnlyList<double[]> expected, IReadOnlyList<double[]> actual, double tolerance)
    {
        foreach (var (place, (want, have)) in expected.Zip(actual).Index())
        {
            var scale = want.Select(Math.Abs).DefaultIfEmpty(0).Max() + 1;
            for (var i = 0; i < want.Length; i++)
            {
                var text = $"{row.Name}: gradient {place}[{i}] is {have[i]:R}, not {want[i]:R}.";
                Assert.True(Math.Abs(have[i] - want[i]) <= tolerance * scale, text);
            }
        }
    }
}
