using OrtPeft.Kernels.Operators;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Kernels.Tests;

/// <summary>Where an activation is flat, infinite or not a number, the kernels give what standard operators do.
/// </summary>
public sealed class ActivationEdgeTests
{
    private const int Opset = 21;

    private const double Tolerance = 1e-6;

    private static readonly float[] Numbers =
    [
        0, -0f, 1e-30f, -1e-30f, 20, -20, 87, -87, 89, -89, 300, -300, 1e10f, -1e10f, 1e20f, -1e20f, float.MaxValue,
        float.MinValue, float.PositiveInfinity, float.NegativeInfinity, float.NaN,
    ];

    private static IEnumerable<FusedOp> All => ActivationOps.All.Concat(ActivationOps.Gates);

    public static TheoryData<string> Names => [.. All.Select(static op => op.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Run_OfLargeNumbersAndNone_IsTheLowering(string name)
    {
        var op = All.Single(o => o.Name == name);
        var feeds = op.Signature.Inputs.Where(static i => !i.IsOptional).ToDictionary(
            static i => i.Name, static i => Row(i.Name is "X" or "gate" ? Numbers : [.. Numbers.Select(_ => 1.5f)]));

        var expected = OnnxRun.Of(Build(op, isLowered: true), feeds);
        var actual = OnnxRun.Of(Build(op, isLowered: false), feeds);

        foreach (var (output, values) in expected)
        {
            foreach (var (x, y, found) in Numbers.Zip(values.ToFloat32(), actual[output].ToFloat32()))
            {
                Assert.True(
                    y.Equals(found) || Math.Abs(y - found) <= Tolerance * (1 + Math.Abs(y)),
                    $"{name} of {x:R}: {found:R}, not {y:R}");
            }
        }
    }

    [Theory]
    [InlineData("Silu")]
    [InlineData("QuickGelu")]
    [InlineData("Gelu")]
    [InlineData("ErfGelu")]
    [InlineData("SquaredRelu")]
    public void Run_OfLargeNegativeNumbers_Vanishes(string name)
    {
        var op = All.Single(o => o.Name == name);
        var x = Row([-100, -1e4f, -1e20f, float.MinValue]);

        var y = OnnxRun.Of(Build(op, isLowered: false), new Dictionary<string, Tensor> { ["X"] = x })["y0"];

        Assert.All(y.ToFloat32(), static number => Assert.Equal(0, number));
    }

    private static Tensor Row(float[] numbers) => Tensor.Of<float>(numbers, [1, numbers.Length]);

    private static Model Build(FusedOp op, bool isLowered)
    {
        var model = new Model(Opset);
        var g = new GraphBuilder(model.Graph, new ShapeInference(Opset));
        var inputs = op.Signature.Inputs.Where(static i => !i.IsOptional).Select(
            i => model.Graph.AddInput(i.Name, ElementType.Float, Shape.Create([Dim.Unknown, Dim.Unknown])));
        foreach (var (index, output) in op.Apply(g, [.. inputs]).Index())
        {
            model.Graph.Rename(output, $"y{index}");
            model.Graph.AddOutput(output);
        }

        if (isLowered)
            FusedOps.Lower(g);
        else
            model.Opsets[FusedOp.Domain] = 1;
        return model;
    }
}
