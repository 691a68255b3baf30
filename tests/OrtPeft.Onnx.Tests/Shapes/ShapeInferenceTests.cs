using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Tests.Shapes;

public sealed class ShapeInferenceTests
{
    private static readonly Dim Batch = Dim.Named("batch");
    private static readonly Dim Sequence = Dim.Named("sequence");
    private readonly Graph _graph = new("g");
    private readonly GraphBuilder _g;
    private readonly Value _x;

    public ShapeInferenceTests()
    {
        _g = new GraphBuilder(_graph, new ShapeInference(18));
        _x = _graph.AddInput("x", ElementType.Float, [Batch, Sequence, 32]);
    }

    [Fact]
    public void Infer_OfAConcat_AddsSymbols()
    {
        var past = _graph.AddInput("past", ElementType.Float, [Batch, Dim.Named("past"), 32]);

        var joined = _g.Concat(1, past, _x);

        Assert.Equal("[batch, sequence + past, 32]", $"{joined.Shape}");
    }

    [Fact]
    public void Infer_OfAReshapeToComputedLengths_FollowsThem()
    {
        var shape = _g.Shape(_x);
        var batch = _g.Unsqueeze(_g.Gather(shape, _g.Int64Scalar(0)), 0);
        var rest = _g.Op("Slice", shape, _g.Int64(1), _g.Int64(2));

        var heads = _g.Op("Reshape", _x, _g.Concat(0, batch, rest, _g.Int64(4, -1)));

        Assert.Equal("[batch, sequence, 4, 8]", $"{heads.Shape}");
    }

    [Fact]
    public void Infer_OfAReshapeWithMinusOne_DividesExactly()
    {
        var flat = _g.Reshape(_x, -1, 32);

        var batch = _g.Op("Slice", _g.Shape(_x), _g.Int64(0), _g.Int64(1));
        var back = _g.Op("Reshape", flat, _g.Concat(0, batch, _g.Int64(-1, 32)));

        Assert.Equal("[batch·sequence, 32]", $"{flat.Shape}");
        Assert.Equal("[batch, sequence, 32]", $"{back.Shape}");
    }

    [Fact]
    public void Infer_OfAReshapeByASum_DividesExactly()
    {
        var past = _graph.AddInput("past", ElementType.Float, [Batch, Dim.Named("past"), 32]);
        var keys = _g.Concat(1, past, _x);
        var total = _g.Op("Slice", _g.Shape(keys), _g.Int64(1), _g.Int64(2));

        var merged = _g.Op("Reshape", keys, _g.Concat(0, _g.Int64(-1), total, _g.Int64(32)));

        Assert.Equal("[batch, sequence + past, 32]", $"{merged.Shape}");
    }

    [Fact]
    public void Infer_OfAReshapeThatKeepsUnknownAxes_StillFindsTheRest()
    {
        var y = _graph.AddInput("y", ElementType.Float, [Dim.Unknown, Dim.Unknown, 32]);

        var heads = _g.Reshape(y, 0, 0, 4, -1);

        Assert.Equal("[?, ?, 4, 8]", $"{heads.Shape}");
    }

    [Fact]
    public void Infer_OfTheExportersExpandIdiom_KnowsTheLengths()
    {
        var shape = _g.Concat(0, _g.Op("Slice", _g.Shape(_x), _g.Int64(0), _g.Int64(2)), _g.Int64(-1));
        var ones = _g.Op("ConstantOfShape", [_g.Int64(3)], NodeAttribute.Of("value", Tensor.Vector(1L)));
        var isFree = _g.Op("Equal", shape, _g.Mul(ones, _g.Int64(-1)));

        var row = _g.Constant(Tensor.Of<float>(new float[32], [1, 1, 32]));

        var expanded = _g.Expand(row, _g.Where(isFree, ones, shape));

        Assert.Equal("[batch, sequence, 32]", $"{expanded.Shape}");
    }

    [Fact]
    public void Infer_OfASliceByLengths_IsTheirDifference()
    {
        var mask = _graph.AddInput("mask", ElementType.Bool, [1, 1, 64, 64]);
        var past = _graph.AddInput("past", ElementType.Int64, [Dim.Named("past")]);
        var start = _g.Shape(past);
        var end = _g.Add(start, _g.Op("Slice", _g.Shape(_x), _g.Int64(1), _g.Int64(2)));

        var part = _g.Op("Slice", mask, start, end, _g.Int64(2));

        Assert.Equal("[1, 1, sequence, 64]", $"{part.Shape}");
    }

    [Fact]
    public void Infer_OfARangeUpToALength_HasThatLength()
    {
        var length = _g.Gather(_g.Shape(_x), _g.Int64Scalar(1));

        var positions = _g.Op("Range", _g.Int64Scalar(0), length, _g.Int64Scalar(1));

        Assert.Equal("[sequence]", $"{positions.Shape}");
        Assert.Equal(ElementType.Int64, positions.Type);
    }

    [Fact]
    public void Infer_OfTwoSymbolsBroadcast_IsUnknown()
    {
        var y = _graph.AddInput("y", ElementType.Float, [Batch, Dim.Named("other"), 32]);

        var sum = _g.Add(_x, y);

        Assert.Equal("[batch, ?, 32]", $"{sum.Shape}");
    }

    [Theory]
    [InlineData(8, "[batch, 8, 32]")]
    [InlineData(1, "[batch, sequence, 32]")]
    public void Infer_OfASymbolAgainstANumber_TakesWhatTheOtherMustBe(long length, string expected)
    {
        var y = _graph.AddInput("y", ElementType.Float, [length, 32]);

        var sum = _g.Add(_x, y);

        Assert.Equal(expected, $"{sum.Shape}");
    }

    [Fact]
    public void Infer_OfALengthThatCannotBeOne_WinsAgainstASymbol()
    {
        var prompt = _graph.AddInput("prompt", ElementType.Float, [Batch, 8, 32]);
        var mask = _graph.AddInput("mask", ElementType.Float, [Batch, Dim.Named("total"), 1]);

        var sum = _g.Add(_g.Concat(1, prompt, _x), mask);

        Assert.Equal("[batch, sequence + 8, 32]", $"{sum.Shape}");
    }

    [Fact]
    public void Infer_OverALabelFromTheFile_ReplacesIt()
    {
        var node = _graph.AddNode("Neg", [_x], ["y"]);
        node.Output.Shape = [Batch, Dim.Named("past_sequence_length + 1"), 32];

        _g.Shapes.Infer(node);

        Assert.Equal("[batch, sequence, 32]", $"{node.Output.Shape}");
    }

    [Fact]
    public void Infer_WithNothingBetter_KeepsTheFilesNumbersButNotItsLabels()
    {
        var unknown = _graph.AddInput("unknown", ElementType.Float, null);
        var node = _graph.AddNode("Neg", [unknown], ["y"]);
        node.Output.Shape = [Dim.Named("sequence"), 32];

        _g.Shapes.Infer(node);

        Assert.Equal("[?, 32]", $"{node.Output.Shape}");
    }

    [Fact]
    public void Infer_OfAnUnknownOperator_LeavesItsOutputs()
    {
        var node = _graph.AddNode("Secret", [_x], ["y"], domain: "example.com");
        (node.Output.Type, node.Output.Shape) = (ElementType.Double, [Batch, 3]);

        _g.Shapes.Infer(node);

        Assert.Equal("y: Double[batch, 3]", $"{node.Output}");
    }

    [Fact]
    public void Infer_OfAnIf_KeepsWhatBothBranchesAgreeOn()
    {
        var condition = _graph.AddInput("condition", ElementType.Bool, []);
        var node = _graph.AddNode(
            "If",
            [condition],
            ["y"],
            [
                NodeAttribute.Of("then_branch", Branch("Neg", _x)),
                NodeAttribute.Of("else_branch", Branch("Gather", _x, _g.Int64(0, 1))),
            ]);

        _g.Shapes.Infer(node);

        Assert.Equal("y: Float[?, sequence, 32]", $"{node.Output}");
    }

    [Fact]
    public void DataOf_AValueAnOverridableDefault_IsUnknown()
    {
        var input = _graph.AddInput("lengths", ElementType.Int64, [2]);
        _graph.SetInitializer(input, Tensor.Vector(1L, 2L));

        Assert.Null(_g.Shapes.DataOf(input));
    }

    [Fact]
    public void DataOf_AProductOfAShape_IsThePolynomial()
    {
        var count = _g.Op("ReduceProd", [_g.Shape(_x)], NodeAttribute.Of("keepdims", 0L));

        Assert.Equal([SymbolicInteger.Of(32) * Batch.Expression! * Sequence.Expression!], _g.Shapes.DataOf(count));
    }

    [Fact]
    public void DataOf_AfterTheInputChanged_IsNotRemembered()
    {
        var shape = _g.Shape(_x);
        _x.Shape = null;

        _g.Shapes.Infer(shape.Producer!);

        Assert.Null(_g.Shapes.DataOf(shape));
    }

    private Graph Branch(string op, params Value[] inputs)
    {
        var branch = new Graph("branch", _graph);
        branch.AddOutput(branch.AddNode(op, inputs, [$"from {op}"]).Output);
        return branch;
    }
}
