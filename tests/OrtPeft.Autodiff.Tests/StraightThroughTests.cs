using OrtPeft.Autodiff.Tests.Proof;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Autodiff.Tests;

/// <summary>Quantisers of activations: the gradient is that of clipping to the range of what they can represent.</summary>
public sealed class StraightThroughTests
{
    private const double Step = 0.05;

    /// <summary>Around the ends of int8's range of −6.4 to 6.35: what rounds to an end is inside.</summary>
    private static readonly float[] X = [-9, -6.43f, -6.42f, -6.4f, -0.31f, 0.01f, 0.26f, 6.35f, 6.37f, 6.38f, 12.7f, 2];

    internal static readonly (string Name, double Lowest, double Highest, Func<GraphBuilder, Value, Value> Of)[] Rows =
    [
        ("int8", -128, 127, static (g, x) => ThereAndBack(g, x, Zero<sbyte>(0))),
        ("int8 with a zero point", -131, 124, static (g, x) => ThereAndBack(g, x, Zero<sbyte>(3))),
        ("uint8", 0, 255, static (g, x) => ThereAndBack(g, x, null)),
        ("uint8 with a zero point", -128, 127, static (g, x) => ThereAndBack(g, x, Zero<byte>(128))),
        ("int16", -32768, 32767, static (g, x) => ThereAndBack(g, x, Zero<short>(0))),
        ("uint16 with a zero point", -20, 65515, static (g, x) => ThereAndBack(g, x, Zero<ushort>(20))),
        ("int4", -8, 7, static (g, x) => ThereAndBack(g, x, Nibbles(ElementType.Int4, 0))),
        ("uint4 with a zero point", -7, 8, static (g, x) => ThereAndBack(g, x, Nibbles(ElementType.UInt4, 7))),
        ("moved between", -128, 127, static (g, x) => Moved(g, x)),
        ("read by two", -128, 127, static (g, x) => ReadByTwo(g, x)),
        ("dequantised by hand", -131, 124, static (g, x) => ByHand(g, x)),
        ("Mul, Round, Clip, Div", -128, 127, static (g, x) =>
            g.Div(Clip(g, g.Op("Round", g.Mul(x, 1 / Step))), g.ScalarLike(x, 1 / Step))),
        ("Div, Round, Clip, Mul", -128, 127, static (g, x) =>
            g.Mul(Clip(g, g.Op("Round", g.Div(x, g.ScalarLike(x, Step)))), Step)),
        ("two constants", -128, 127, static (g, x) => g.Mul(Clip(g, g.Op("Round", g.Mul(x, 1 / Step))), Step)),
        ("a zero point before rounding", -131, 124, static (g, x) => g.Mul(g.Add(
            Clip(g, g.Op("Round", g.Add(g.Div(x, g.ScalarLike(x, Step)), 3))), -3), Step)),
        ("a zero point after rounding", -131, 124, static (g, x) => g.Mul(g.Sub(
            Clip(g, g.Add(g.Op("Round", g.Div(x, g.ScalarLike(x, Step))), 3)), g.ScalarLike(x, 3)), Step)),
        ("casts and moves between", -128, 127, static (g, x) => g.Reshape(g.Mul(g.Cast(g.Cast(
            g.Unsqueeze(Clip(g, g.Op("Round", g.Mul(x, 1 / Step))), 0), ElementType.Int8), x.Type), Step), -1)),
        ("Max and Min", -128, 127, static (g, x) => g.Mul(g.Op("Min", g.ScalarLike(x, 127), g.Op(
            "Max", g.Op("Round", g.Mul(x, 1 / Step)), g.ScalarLike(x, -128))), Step)),
        ("BitNet's computed scale", -200, 300, static (g, x) => BitNet(g, x)),
        ("a computed zero point", -200, 300, static (g, x) => Asymmetric(g, x)),
        ("DynamicQuantizeLinear", -200, 300, static (g, x) =>
        {
            var q = g.Ops("DynamicQuantizeLinear", 3, [x], []);
            return g.Op("DequantizeLinear", [.. q]);
        }),
    ];

    public static TheoryData<string> Names => [.. Rows.Select(static r => r.Name)];

    /// <summary>The operators whose rules are proved here: differences of what rounds tell nothing of them.</summary>
    internal static IReadOnlySet<string> Operators { get; } =
        new HashSet<string> { "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "Round" };

    /// <summary>The scale is taken off and put on again, each rounded once.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Differentiate_ThroughAQuantiser_PassesWhatIsInsideItsRange(string name)
    {
        var row = Rows.Single(r => r.Name == name);

        var (gradient, upstream) = Run(row.Of, [X.Length]);

        for (var i = 0; i < X.Length; i++)
        {
            var counted = Math.Round(X[i] / Step, MidpointRounding.ToEven);
            var slope = counted >= row.Lowest && counted <= row.Highest ? 1 : 0;
            Assert.Equal(slope * upstream[i], gradient[i], 1e-6);
        }
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, false)]
    [InlineData(-1, true)]
    [InlineData(-3, true)]
    public void Differentiate_ThroughScalesOfAnAxis_FindsThem(long axis, bool hasZeroPoint)
    {
        var length = new[] { 2, 3, 2 }[axis < 0 ? axis + 3 : axis];
        float[] scales = [0.05f, 0.02f, 0.1f];
        sbyte[] zeroPoints = [3, -8, 0];

        var (gradient, upstream) = Run(
            (g, x) =>
            {
                var scale = g.Constant(Tensor.Vector<float>(scales.AsSpan(0, length)));
                var zero = hasZeroPoint ? g.Constant(Tensor.Vector<sbyte>(zeroPoints.AsSpan(0, length))) : null;
                var type = hasZeroPoint ? [] : new[] { NodeAttribute.Of("output_dtype", (long)ElementType.Int8) };
                var along = NodeAttribute.Of("axis", axis);
                var q = g.Op("QuantizeLinear", [x, scale, zero], [along, .. type]);
                return g.Op("DequantizeLinear", [q, scale, zero], along);
            },
            [2, 3, 2]);

        for (var i = 0; i < X.Length; i++)
        {
            var place = new[] { i / 6, i / 2 % 3, i % 2 }[axis < 0 ? axis + 3 : axis];
            var counted = Math.Round(X[i] / scales[place], MidpointRounding.ToEven)
                + (hasZeroPoint ? zeroPoints[place] : 0);
            Assert.Equal(counted is >= -128 and <= 127 ? upstream[i] : 0, gradient[i], 1e-6);
        }
    }

    private static (float[] Gradient, float[] Upstream) Run(Func<GraphBuilder, Value, Value> of, long[] dims)
    {
        var model = new Model(GradientModel.Opset);
        var g = new GraphBuilder(model.Graph, new ShapeInference(GradientModel.Opset));
        var x = model.Graph.AddInput("x", ElementType.Float, Shape.Of(dims));
        var y = of(g, x);
        var weights = GradientModel.Weights(g, y, 0);
        var gradient = new Differentiator(model, g).Differentiate([new Seed(y, weights)], [x])[0];
        model.Graph.AddOutput(gradient);
        model.Graph.AddOutput(weights);
        using var session = new TestSession(model);
        session.Feed("x", X, dims);
        var results = session.Run<float>([gradient.Name, weights.Name]);
        Assert.Equal(dims, results[0].Dims);
        return (results[0].Elements, results[1].Elements);
    }

    private static Value ThereAndBack(GraphBuilder g, Value x, Tensor? zeroPoint) =>
        Back(g, x, Counted(g, x, zeroPoint), zeroPoint);

    private static Value Counted(GraphBuilder g, Value x, Tensor? zeroPoint) =>
        g.Op("QuantizeLinear", x, g.ScalarLike(x, Step), zeroPoint is null ? null : g.Constant(zeroPoint));

    private static Value Back(GraphBuilder g, Value x, Value q, Tensor? zeroPoint) =>
        g.Op("DequantizeLinear", q, g.ScalarLike(x, Step), zeroPoint is null ? null : g.Constant(zeroPoint));

    private static Value Moved(GraphBuilder g, Value x)
    {
        var rows = g.Op("Identity", g.Reshape(Counted(g, x, Zero<sbyte>(0)), 3, 4));
        var parts = g.Split(g.Transpose(rows, 1, 0), 0, 1, 3);
        var joined = g.Transpose(g.Concat(0, parts[0], g.Gather(parts[1], g.Int64(0, 1, 2))), 1, 0);
        var cut = g.Op("Slice", g.Op("Flatten", joined), g.Int64(0), g.Int64(3), g.Int64(0));
        return g.Reshape(Back(g, x, cut, Zero<sbyte>(0)), -1);
    }

    private static Value ReadByTwo(GraphBuilder g, Value x)
    {
        var q = Counted(g, x, Zero<sbyte>(0));
        return g.Add(g.Mul(Back(g, x, q, Zero<sbyte>(0)), 0.25), g.Mul(Back(g, x, q, Zero<sbyte>(0)), 0.75));
    }

    private static Value ByHand(GraphBuilder g, Value x)
    {
        var whole = g.Cast(Counted(g, x, Zero<sbyte>(3)), ElementType.Int32);
        return g.Mul(g.Cast(g.Sub(whole, g.Scalar(ElementType.Int32, 3)), x.Type), Step);
    }

    private static Value BitNet(GraphBuilder g, Value x)
    {
        var largest = g.Op("Clip", g.Op("ReduceMax", g.Op("Abs", x)), g.ScalarLike(x, 1e-5), null);
        var scale = g.Div(g.ScalarLike(x, 127), largest);
        return g.Div(Clip(g, g.Op("Round", g.Mul(x, scale))), scale);
    }

    private static Value Asymmetric(GraphBuilder g, Value x)
    {
        var (low, high) = (g.Op("ReduceMin", x), g.Op("ReduceMax", x));
        var scale = g.Div(g.Sub(high, low), g.ScalarLike(x, 255));
        var zero = g.Op("Round", g.Div(g.Neg(low), scale));
        var q = g.Op("Clip", g.Add(g.Op("Round", g.Div(x, scale)), zero), g.ScalarLike(x, -1), g.ScalarLike(x, 256));
        return g.Mul(g.Sub(q, zero), scale);
    }

    private static Value Clip(GraphBuilder g, Value x) => g.Op("Clip", x, g.ScalarLike(x, -128), g.ScalarLike(x, 127));

    private static Tensor Zero<T>(T value)
        where T : unmanaged => Tensor.Scalar(value);

    private static Tensor Nibbles(ElementType type, byte value) =>
        new(type, [], Tensor.Of<byte>([value], [1]).Data);
}
