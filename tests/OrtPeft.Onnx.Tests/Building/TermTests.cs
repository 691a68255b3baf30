using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Onnx.Tests.Building;

public sealed class TermTests
{
    private readonly Graph _graph;
    private readonly GraphBuilder _g;
    private readonly Term _x;
    private readonly Term _y;

    public TermTests()
    {
        var model = new Model(21);
        _graph = model.Graph;
        _g = new GraphBuilder(_graph, new ShapeInference(model.Opset));
        _x = Input("x", ElementType.Float);
        _y = Input("y", ElementType.Float);
    }

    public static TheoryData<string, Func<Term, Term, Term>> Operators => new()
    {
        { "Add(x, y)", static (x, y) => x + y },
        { "Sub(x, y)", static (x, y) => x - y },
        { "Mul(x, y)", static (x, y) => x * y },
        { "Div(x, y)", static (x, y) => x / y },
        { "Neg(x)", static (x, _) => -x },
        { "Add(x, 2)", static (x, _) => x + 2 },
        { "Sub(x, 2)", static (x, _) => x - 2 },
        { "Mul(x, 2)", static (x, _) => x * 2 },
        { "Div(x, 2)", static (x, _) => x / 2 },
        { "Add(x, 2)", static (x, _) => 2 + x },
        { "Sub(2, x)", static (x, _) => 2 - x },
        { "Mul(x, 2)", static (x, _) => 2 * x },
        { "Div(2, x)", static (x, _) => 2 / x },
        { "Greater(x, 2)", static (x, _) => x > 2 },
        { "Less(x, 2)", static (x, _) => x < 2 },
        { "GreaterOrEqual(x, 2)", static (x, _) => x >= 2 },
        { "LessOrEqual(x, 2)", static (x, _) => x <= 2 },
        { "Greater(x, y)", static (x, y) => x > y },
        { "Less(x, y)", static (x, y) => x < y },
        { "GreaterOrEqual(x, y)", static (x, y) => x >= y },
        { "LessOrEqual(x, y)", static (x, y) => x <= y },
        { "Sub(x, y)", static (x, y) => x - y.Value },
        { "Tanh(x)", static (x, _) => Tanh(x) },
        { "Max(x, y)", static (x, y) => Max(x, y) },
        { "Max(x, 2)", static (x, _) => Max(x, 2) },
        { "Min(x, y)", static (x, y) => Min(x, y) },
        { "Min(x, 2)", static (x, _) => Min(x, 2) },
        { "Pow(x, y)", static (x, y) => Pow(x, y) },
        { "Pow(x, 2)", static (x, _) => Pow(x, 2) },
        { "Equal(x, y)", static (x, y) => Equal(x, y) },
        { "Equal(x, 2)", static (x, _) => Equal(x, 2) },
        { "ReduceSum(x)", static (x, _) => Sum(x) },
    };

    [Theory]
    [MemberData(nameof(Operators))]
    public void Operator_WhenApplied_AddsOneNode(string node, Func<Term, Term, Term> apply)
    {
        var result = apply(_x, _y);

        Assert.Equal([node], Nodes());
        Assert.Same(_graph.Nodes[0].Outputs[0], result.Value);
    }

    [Fact]
    public void Formula_WhenWritten_AddsOperandsFirstFromLeftToRight()
    {
        _ = -_x + _y * (_x - 1) / Exp(_y);

        Assert.Equal(["Neg(x)", "Sub(x, 1)", "Mul(y, Sub)", "Exp(y)", "Div(Mul, Exp)", "Add(Neg, Div)"], Nodes());
    }

    [Fact]
    public void Comparison_WhenJoined_ComesBeforeAndAndThatBeforeOr()
    {
        _ = _x > 0 & _x < 1 | !Equal(_x, 2);

        Assert.Equal(
            ["Greater(x, 0)", "Less(x, 1)", "And(Greater, Less)", "Equal(x, 2)", "Not(Equal)", "Or(And, Not)"],
            Nodes());
    }

    [Fact]
    public void Where_WhenABranchIsANumber_TakesTheTypeOfTheOther()
    {
        var count = Input("count", ElementType.Int64);

        _ = Where(_x > 0, count, -100);
        _ = Where(_x > 0, -100, count);

        Assert.Equal("Where(Greater, count, -100)", Nodes()[1]);
        Assert.Equal("Where(Greater_1, -100, count)", Nodes()[3]);
        Assert.Equal(ElementType.Int64, _graph.Nodes[1].Inputs[2]!.Type);
        Assert.Equal(ElementType.Int64, _graph.Nodes[3].Inputs[1]!.Type);
    }

    [Theory]
    [InlineData(ElementType.Float16, 0.1)]
    [InlineData(ElementType.Float, 0.1)]
    [InlineData(ElementType.Double, 0.1)]
    [InlineData(ElementType.Int32, 3)]
    [InlineData(ElementType.Int64, long.MinValue)]
    public void Number_WhenBesideATerm_IsRoundedToItsType(ElementType type, double number)
    {
        var term = Input("t", type);

        var sum = term + number;

        var constant = _graph.Nodes[0].Inputs[1]!.Constant!;
        Assert.Equal(type, constant.Type);
        Assert.Empty(constant.Shape);
        Assert.Equal(_g.Scalar(type, number), _graph.Nodes[0].Inputs[1]);
        Assert.Equal(type, sum.Type);
    }

    [Fact]
    public void Number_WhenWrittenTwice_IsOneConstant()
    {
        _ = 2 * _x + 2 * _y;

        Assert.Single(_graph.Initializers);
    }

    [Fact]
    public void Number_WhenBesideAString_Throws()
    {
        var text = Input("text", ElementType.String);

        Assert.Throws<UnsupportedOpException>(() => text + 1);
    }

    [Fact]
    public void Cast_WhenTheTypeIsTheSame_AddsNothing()
    {
        var same = Cast(_x, ElementType.Float);

        Assert.Same(_x.Value, same.Value);
        Assert.Empty(_graph.Nodes);
    }

    [Fact]
    public void Operator_WhenOperandsBroadcast_InfersTheShape()
    {
        var row = _g.Term(_graph.AddInput("row", ElementType.Float, [1, 3]));
        var column = _g.Term(_graph.AddInput("column", ElementType.Float, [2, 1]));

        var sum = row + column;

        Assert.Equal(Shape.Of([2, 3]), sum.Shape);
    }

    private Term Input(string name, ElementType type) => _g.Term(_graph.AddInput(name, type, [2, 3]));

    /// <summary>Each node as its operator of its operands; constants as their number.</summary>
    private string[] Nodes() => [.. _graph.Nodes.Select(static n =>
        $"{n.OpType}({string.Join(", ", n.Inputs.Select(static i => i!.Constant is { } c ? Number(c) : i.Name))})")];

    private static string Number(Tensor constant) => constant.Type == ElementType.Int64
        ? FormattableString.Invariant($"{constant.ToInt64()[0]}")
        : FormattableString.Invariant($"{constant.ToFloat32()[0]}");
}
