using OrtPeft.Autodiff.Tests.Proof;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Autodiff.Tests;

public sealed class DifferentiatorTests
{
    private readonly Model _model = new(GradientModel.Opset);
    private readonly GraphBuilder _g;
    private readonly Value _x;

    public DifferentiatorTests()
    {
        _g = new GraphBuilder(_model.Graph, new ShapeInference(GradientModel.Opset));
        _x = _model.Graph.AddInput("x", ElementType.Float, [2]);
    }

    [Fact]
    public void Differentiate_WhenValueIsUsedManyTimes_AddsUp()
    {
        var y = _g.Add(_g.Mul(_x, _x), _g.Add(_x, _g.Mul(_x, 5)));

        var gradient = Differentiate(y, [_x])[0];

        Assert.Equal([2 + 6, 6 + 6], Run(gradient, 1, 3));
    }

    [Fact]
    public void Differentiate_WhenLossDoesNotDependOnIt_GivesZeros()
    {
        var other = _model.Graph.AddInput("other", ElementType.Float, [2]);
        _g.Mul(other, 2);

        var gradient = Differentiate(_g.Mul(_x, 2), [other])[0];

        Assert.Equal([0, 0], Run(gradient, 1, 3));
    }

    [Fact]
    public void Differentiate_WhenWantedValueIsTheSeedItself_GivesTheSeed()
    {
        var gradient = Differentiate(_x, [_x])[0];

        Assert.Equal([1, 1], Run(gradient, 1, 3));
    }

    [Fact]
    public void Differentiate_WhenSeedsShareAValue_AddsThem()
    {
        var y = _g.Mul(_x, 3);
        var one = _g.Constant(Tensor.Vector(1f, 10f));

        var gradient = new Differentiator(_model, _g).Differentiate([new Seed(y, one), new Seed(y, one)], [_x])[0];

        Assert.Equal([6, 60], Run(gradient, 1, 3));
    }

    [Fact]
    public void Differentiate_WhenWantedValuesFollowEachOther_GivesBoth()
    {
        var middle = _g.Mul(_x, _x);

        var gradients = Differentiate(_g.Mul(middle, 3), [_x, middle]);

        Assert.Equal([6, 18], Run(gradients[0], 1, 3));
        Assert.Equal([3, 3], Run(gradients[1], 1, 3));
    }

    [Fact]
    public void Differentiate_WhenCalledAgain_StartsAnew()
    {
        var y = _g.Mul(_x, 3);
        var seed = new Seed(y, _g.Constant(Tensor.Vector(1f, 1f)));
        var differentiator = new Differentiator(_model, _g);
        differentiator.Differentiate([seed], [_x]);

        var gradient = differentiator.Differentiate([seed], [_x])[0];

        Assert.Equal([3, 3], Run(gradient, 1, 3));
    }

    [Fact]
    public void Differentiate_WhenOpOnThePathIsUnknown_NamesOpNodeAndOpset()
    {
        var y = _g.Op("Mish", _x);
        y.Producer!.Name = "/h.0/act";

        var differentiate = () => Differentiate(y, [_x]);

        AssertUnsupported(differentiate, "Mish \"/h.0/act\" (opset 21)");
    }

    [Fact]
    public void Differentiate_WhenOpIsOfAnotherDomain_NamesTheDomain()
    {
        _model.Opsets["com.microsoft"] = 1;
        var y = _g.Ops("QuickGelu", 1, [_x], [], "com.microsoft")[0];
        (y.Type, y.Shape) = (_x.Type, _x.Shape);

        var differentiate = () => Differentiate(y, [_x]);

        AssertUnsupported(differentiate, "com.microsoft.QuickGelu \"QuickGelu\" (opset 1)");
    }

    [Fact]
    public void Differentiate_WhenUnknownOpIsOffThePath_IgnoresIt()
    {
        var other = _model.Graph.AddInput("other", ElementType.Float, [2]);

        var gradient = Differentiate(_g.Mul(_g.Op("Mish", other), _x), [_x])[0];

        Assert.Equal([0, 0], Run(gradient, 1, 3));
    }

    [Fact]
    public void Differentiate_WhenUnknownOpHasIntegersOnly_IgnoresIt()
    {
        var rest = _g.Op("Mod", _g.Cast(_x, ElementType.Int64), _g.Int64Scalar(2));

        var gradient = Differentiate(_g.Mul(_g.Cast(_g.Cast(rest, ElementType.Bool), ElementType.Float), _x), [_x])[0];

        Assert.Equal([1, 0], Run(gradient, 1, 4));
    }

    [Fact]
    public void Differentiate_WhenOpIsOlderThanItsRule_Throws()
    {
        _model.Opsets[""] = 12;

        var differentiate = () => Differentiate(_g.Softmax(_x), [_x]);

        AssertUnsupported(differentiate, "(opset 12)");
    }

    [Fact]
    public void Differentiate_WhenStatisticsReachTheLoss_Throws()
    {
        var outputs = _g.Ops("LayerNormalization", 2, [_x, _g.Constant(Tensor.Vector(1f, 1f))], []);

        var differentiate = () => Differentiate(_g.Add(outputs[0], outputs[1]), [_x]);

        AssertUnsupported(differentiate, "output 1");
    }

    [Fact]
    public void Differentiate_WhenOnlyASecondOutputReachesTheLoss_Throws()
    {
        var outputs = _g.Ops("LayerNormalization", 2, [_x, _g.Constant(Tensor.Vector(1f, 1f))], []);

        var differentiate = () => Differentiate(outputs[1], [_x]);

        AssertUnsupported(differentiate, "output 1");
    }

    [Fact]
    public void Differentiate_WhenSubgraphReadsTheParameter_NamesTheNode()
    {
        var (then, otherwise) = (new Graph("then", _model.Graph), new Graph("else", _model.Graph));
        foreach (var branch in new[] { then, otherwise })
            branch.AddOutput(branch.AddNode("Neg", [_x], [$"{branch.Name}/y"]).Output);
        var condition = _g.Scalar(ElementType.Bool, 1);
        var y = _g.Op(
            "If", [condition], NodeAttribute.Of("then_branch", then), NodeAttribute.Of("else_branch", otherwise));
        (y.Type, y.Shape) = (_x.Type, _x.Shape);

        var differentiate = () => Differentiate(y, [_x]);

        AssertUnsupported(differentiate, "If \"If\"");
    }

    [Theory]
    [InlineData("Loop")]
    [InlineData("SequenceMap")]
    public void Differentiate_WhenTheParameterGoesThroughARepeatedGraph_NamesTheNode(string opType)
    {
        var body = new Graph("body", _model.Graph);
        var each = body.AddInput("each", ElementType.Float, [2]);
        body.AddOutput(body.AddNode("Neg", [each], ["body/y"]).Output);
        var y = _g.Op(opType, [_x], NodeAttribute.Of("body", body));
        (y.Type, y.Shape) = (_x.Type, _x.Shape);

        var differentiate = () => Differentiate(y, [_x]);

        AssertUnsupported(differentiate, $"{opType} \"{opType}\" (opset 21) repeats a graph at run time");
    }

    /// <summary>A loop of a given number of steps is a Scan; what keeps another from being one is said.</summary>
    [Theory]
    [InlineData(true, true, ", until 'body/far' ends it, between")]
    [InlineData(false, false, ", without a given number of steps, between")]
    [InlineData(true, false, ", with states that may not keep their type and axes from step to step, between")]
    public void Differentiate_WhenTheParameterGoesThroughALoop_SaysWhatIsInTheWay(bool isCounted, bool hasEnd, string obstacle)
    {
        var body = new Graph("body", _model.Graph);
        body.AddInput("step", ElementType.Int64, []);
        var going = body.AddInput("going", ElementType.Bool, []);
        var state = body.AddInput("state", ElementType.Float, [2]);
        var far = body.AddNode("Less", [body.AddNode("ReduceSum", [state], ["body/sum"]).Output, _x], ["body/far"]).Output;
        body.AddOutput(hasEnd ? far : going);
        body.AddOutput(body.AddNode("Neg", [state], ["body/y"]).Output);
        var y = _g.Op("Loop", [isCounted ? _g.Int64Scalar(3) : null, null, _x], NodeAttribute.Of("body", body));
        (y.Type, y.Shape) = (_x.Type, _x.Shape);

        var differentiate = () => Differentiate(y, [_x]);

        AssertUnsupported(differentiate, obstacle);
    }

    [Fact]
    public void Differentiate_WhenWantedValueIsConstant_Throws()
    {
        var weight = _g.Constant(Tensor.Vector(1f, 2f));

        var differentiate = () => Differentiate(_g.Mul(_x, weight), [weight]);

        Assert.ThrowsAny<ArgumentException>(differentiate);
    }

    [Fact]
    public void Differentiate_WhenSeedIsOfAnotherType_Throws()
    {
        var seed = new Seed(_g.Mul(_x, 2), _g.Constant(Tensor.Vector(1.0, 1.0)));

        var differentiate = () => new Differentiator(_model, _g).Differentiate([seed], [_x]);

        AssertUnsupported(differentiate, "Double, not Float");
    }

    [Fact]
    public void Differentiate_WhenSeedIsSmallerThanItsValue_Throws()
    {
        var seed = new Seed(_g.Mul(_x, 2), _g.ScalarLike(_x, 1));

        var differentiate = () => new Differentiator(_model, _g).Differentiate([seed], [_x]);

        AssertUnsupported(differentiate, "shape []");
    }

    [Fact]
    public void Differentiate_WhenDropoutIsLive_Throws()
    {
        var live = _g.Op("Dropout", _x, _g.Scalar(ElementType.Float, 0.5), _g.Scalar(ElementType.Bool, 1));

        var differentiate = () => Differentiate(live, [_x]);

        AssertUnsupported(differentiate, "lowered");
    }

    private static void AssertUnsupported(Func<object> act, string part) =>
        Assert.Contains(part, Assert.Throws<UnsupportedOpException>(act).Message, StringComparison.Ordinal);

    private IReadOnlyList<Value> Differentiate(Value y, IReadOnlyList<Value> wanted) =>
        new Differentiator(_model, _g).Differentiate([new Seed(y, _g.Constant(Tensor.Vector(1f, 1f)))], wanted);

    /// <summary>Feeds x; every other input is zeros.</summary>
    private float[] Run(Value gradient, params float[] x)
    {
        var result = _g.Op("Identity", gradient);
        _model.Graph.AddOutput(result);
        using var session = new TestSession(_model);
        foreach (var input in _model.Graph.Inputs)
            session.Feed(input.Name, input == _x ? x : new float[2], 2);
        return session.Run<float>(result.Name);
    }
}
