using OrtPeft.Autodiff.Tests.Proof;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Autodiff.Tests;

/// <summary>
/// Random chains of arithmetic, quantisers and other ways through whole numbers, all of them so fine that differences do
/// not see the rounding: whatever would be cut shows as a slope that the gradient lacks.
/// </summary>
public sealed class RandomRoundingTests
{
    private const int Count = 120;

    /// <summary>Rounded to 2⁻⁴⁴, differences over 1e-5 are good to 3e-9.</summary>
    private const double Fine = 17592186044416;

    private static readonly Func<GraphBuilder, Value, Value>[] Smooth =
    [
        static (g, x) => g.Op("Tanh", x),
        static (g, x) => g.Op("Sin", x),
        static (g, x) => g.Mul(x, 0.7),
        static (g, x) => g.Add(x, g.Op("Cos", x)),
        static (g, x) => g.Op("Transpose", g.Reshape(x, 3, 2)),
        static (g, x) => g.Softmax(g.Reshape(x, 2, 3)),
        static (g, x) => g.Where(g.Op("Greater", x, g.ScalarLike(x, 0.1)), x, g.Mul(x, 0.3)),
    ];

    private static readonly Func<GraphBuilder, Value, Value>[] Quantisers =
    [
        static (g, x) => g.Div(g.Op("Round", g.Mul(x, Fine)), g.ScalarLike(x, Fine)),
        static (g, x) => g.Mul(g.Op("Round", g.Div(x, g.ScalarLike(x, 1 / Fine))), 1 / Fine),
        static (g, x) => g.Mul(g.Cast(g.Cast(g.Op("Round", g.Mul(x, Fine)), ElementType.Int64), x.Type), 1 / Fine),
        static (g, x) => g.Div(Clipped(g, g.Op("Round", g.Mul(x, Fine))), g.ScalarLike(x, Fine)),
        static (g, x) => g.Mul(g.Sub(g.Op("Round", g.Add(g.Mul(x, Fine), Zero(g, x))), Zero(g, x)), 1 / Fine),
        static (g, x) => g.Div(g.Reshape(g.Op("Round", g.Mul(g.Unsqueeze(x, 0), Fine)), -1), g.ScalarLike(x, Fine)),
    ];

    private static readonly Func<GraphBuilder, Value, Value>[] Steps =
    [
        static (g, x) => g.Div(g.Op("Floor", g.Mul(x, Fine)), g.ScalarLike(x, Fine)),
        static (g, x) => g.Mul(g.Op("Ceil", g.Mul(x, Fine)), 1 / Fine),
        static (g, x) => g.Div(g.Cast(g.Cast(g.Mul(x, Fine), ElementType.Int64), x.Type), g.ScalarLike(x, Fine)),
        static (g, x) => g.Mul(g.Mul(g.Op("Round", g.Mul(x, Fine)), 0.5), 2 / Fine),
        static (g, x) => g.Mul(g.Cast(g.Op("BitwiseNot", g.Op("BitwiseNot", g.Cast(
            g.Op("Round", g.Mul(x, Fine)), ElementType.Int64))), x.Type), 1 / Fine),
        static (g, x) => g.Add(g.Mul(x, 0.5), g.Div(g.Op("Floor", g.Mul(x, Fine / 2)), g.ScalarLike(x, Fine))),
    ];

    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, Count)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Differentiate_ThroughAnyWholeNumbers_MatchesDifferencesOrRefuses(int seed)
    {
        if (IsRefused(seed))
            return;

        GradientProof.ByDifferences(Case(seed));
    }

    [Fact]
    public void Seeds_AreRefusedWhereTheyHaveSteps()
    {
        var refused = Enumerable.Range(0, Count).Where(IsRefused).ToArray();

        Assert.Equal(Enumerable.Range(0, Count).Where(static seed => seed % 3 == 0), refused);
    }

    private static bool IsRefused(int seed)
    {
        try
        {
            GradientModel.Build(Case(seed), ElementType.Double);
            return false;
        }
        catch (UnsupportedOpException)
        {
            return true;
        }
    }

    /// <summary>Three to eight steps; every third seed has one that is not a quantiser.</summary>
    private static GradientCase Case(int seed) => new(
        "Rounding",
        $"seed {seed}",
        (g, x) =>
        {
            var random = new Random(seed);
            var (y, count) = (x[0], random.Next(3, 9));
            var places = seed % 3 == 0 ? random.Next(count) : -1;
            for (var i = 0; i < count; i++)
            {
                var kind = i == places ? Steps : random.Next(2) == 0 ? Quantisers : Smooth;
                y = kind[random.Next(kind.Length)](g, g.Reshape(y, -1));
            }

            return [y, g.Op("Tanh", g.Mul(x[0], x[0]))];
        },
        TestInput.Generic(6));

    private static Value Clipped(GraphBuilder g, Value x) =>
        g.Op("Clip", x, g.ScalarLike(x, -100 * Fine), g.ScalarLike(x, 100 * Fine));

    private static Value Zero(GraphBuilder g, Value x) => g.ScalarLike(x, 5);
}
