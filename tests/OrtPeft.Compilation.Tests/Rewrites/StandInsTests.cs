using OrtPeft.Compilation.Rewrites;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Tensors;
using OrtPeft.Testing;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Compilation.Tests.Rewrites;

public sealed class StandInsTests
{
    /// <summary>Rounding in another order: some units of float32 at 200, the largest number here.</summary>
    private const double Tolerance = 5e-5;

    private static readonly Tensor X = Tensor.Of<float>(
        [-90f, 0, 88, 0.5f, -0.25f, 3, 1e-3f, -7, 2, 0, 0, 0, 100, 100, -100, -1, 5, 0.1f, 12, -12, 0, 6, -6, 1], [2, 3, 4]);

    public static TheoryData<string, string> Cases => new()
    {
        { "LogSoftmax", "axis=-1" }, { "LogSoftmax", "axis=1" }, { "LogSoftmax", "axis=0" },
        { "Gelu", "approximate=none" }, { "Gelu", "approximate=tanh" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Put_ComputesTheSame(string op, string attribute)
    {
        var (name, value) = (attribute.Split('=')[0], attribute.Split('=')[1]);
        var of = long.TryParse(value, out var number) ? NodeAttribute.Of(name, number) : NodeAttribute.Of(name, value);

        Must(op, (g, x) => g.Op(op, [x], of));
    }

    [Fact]
    public void Put_OfSigns_ComputesTheSame() => Must("Sign", static (g, x) => g.Op("Sign", x));

    [Fact]
    public void Put_OfConstants_FillsAnyShape()
    {
        var three = NodeAttribute.Of("value", Tensor.Of<float>([3f], [1]));

        Must("ConstantOfShape", (g, x) => g.Add(x, g.Op("ConstantOfShape", [g.Shape(x)], three)));
        Must("ConstantOfShape", static (g, x) => g.Add(x, g.Op("ConstantOfShape", g.Shape(x))));
        Must("ConstantOfShape", (g, x) => g.Mul(x, g.Op(
            "ConstantOfShape", [g.Op("Slice", g.Shape(x), g.Int64(0), g.Int64(0))], three)));
    }

    /// <summary>Along one axis, and along all; where readers cast it back, and where one reads float64.</summary>
    [Fact]
    public void Put_OfSumsInFloat64_SumsInFloat32()
    {
        Must("ReduceSum(double)", static (g, x) => Cast(Sum(Cast(g.Term(x), ElementType.Double)), ElementType.Float));
        Must("ReduceSum(double)", static (g, x) => Cast(Sum(Cast(g.Term(x), ElementType.Double), [1]), ElementType.Float));
        Must("ReduceSum(double)", static (g, x) => Cast(Sqrt(Sum(Cast(g.Term(x) * g.Term(x), ElementType.Double))), ElementType.Float));
    }

    /// <summary>Numbers that are float64 before they are added up are a base's own.</summary>
    [Fact]
    public void Put_OfSumsOfFloat64_LeavesThem()
    {
        var model = Built(static (g, x) => Cast(Sum(Sqrt(Cast(g.Term(x) * g.Term(x), ElementType.Double))), ElementType.Float));
        var before = model.Graph.Nodes.Select(static n => n.ToString()).ToArray();

        StandIns.Put(model, ["ReduceSum(double)"]);

        Assert.Equal(before, model.Graph.Nodes.Select(static n => n.ToString()));
    }

    private static void Must(string op, Func<GraphBuilder, Value, Value> build)
    {
        var (plain, other) = (Built(build), Built(build));

        StandIns.Put(other, [op]);

        Assert.Contains(plain.Graph.Nodes, IsOf);
        Assert.DoesNotContain(other.Graph.Nodes, IsOf);
        var feeds = new Dictionary<string, Tensor> { ["x"] = X };
        Near.Within(OnnxRun.Of(plain, feeds)["y"].ToFloat32(), OnnxRun.Of(other, feeds)["y"].ToFloat32(), Tolerance, op);

        bool IsOf(Node node) => op.EndsWith("(double)", StringComparison.Ordinal)
            ? node.Inputs[0]!.Type == ElementType.Double && op.StartsWith(node.OpType, StringComparison.Ordinal)
            : node.Is(op);
    }

    private static Model Built(Func<GraphBuilder, Value, Value> build)
    {
        var model = new Model(CanonicalForm.Opset, graphName: "g");
        var x = model.Graph.AddInput("x", ElementType.Float, [2, 3, 4]);
        var y = build(GraphBuilder.Over(model), x);
        model.Graph.Rename(y, "y");
        model.Graph.AddOutput(y);
        return model;
    }
}
