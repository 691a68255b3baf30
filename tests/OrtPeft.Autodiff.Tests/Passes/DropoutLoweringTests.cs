using OrtPeft.Autodiff.Tests.Proof;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Autodiff.Tests.Passes;

public sealed class DropoutLoweringTests
{
    private static readonly long[] Seed = [5];

    private readonly Model _model = new(GradientModel.Opset);
    private readonly ShapeInference _shapes = new(GradientModel.Opset);
    private readonly GraphBuilder _g;
    private readonly Value _x;

    public DropoutLoweringTests()
    {
        _g = new GraphBuilder(_model.Graph, _shapes);
        _x = _model.Graph.AddInput("x", ElementType.Double, [3, 5]);
    }

    [Fact]
    public void ForTraining_WhenDifferentiated_UsesTheSameMask()
    {
        var y = Dropout(_g.Mul(_x, _x), 0.5, live: true);
        var weights = GradientModel.Weights(_g, y, 0);
        var loss = _g.ReduceSum(_g.Mul(y, weights), [], keepDims: false);
        _model.Graph.AddOutput(loss);
        DropoutLowering.ForTraining(_model, _shapes);
        var masked = weights.Uses.Single(static u => u.Node.Is("Mul")).Node.Inputs[0]!;
        var gradient = new Differentiator(_model, _g).Differentiate([new Seed(masked, weights)], [_x])[0];
        _model.Graph.AddOutput(gradient);
        using var session = new TestSession(_model);
        var x = Enumerable.Range(1, 15).Select(static i => i / 8.0).ToArray();
        session.Feed("x", x, 3, 5);
        session.Feed(SeededBits.SeedInput, Seed);

        var analytic = session.Run<double>(gradient.Name);

        var differences = x.Select((_, i) => Difference(session, loss.Name, x, i)).ToArray();
        Assert.All(analytic.Zip(differences), static p => Assert.Equal(p.First, p.Second, 1e-7));
        Assert.InRange(analytic.Count(static a => a == 0), 1, 14);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public void ForTraining_WhenRankVaries_Runs(int rank)
    {
        long[] dims = [.. Enumerable.Repeat(2L, rank)];
        var x = _model.Graph.AddInput("other", ElementType.Float, Shape.Of(dims));
        _model.Graph.AddOutput(Dropout(x, 0.5, live: true));
        DropoutLowering.ForTraining(_model, _shapes);
        using var session = new TestSession(_model);
        session.Feed("x", new double[15], 3, 5);
        session.Feed("other", Enumerable.Repeat(1f, 1 << rank).ToArray(), dims);
        session.Feed(SeededBits.SeedInput, Seed);

        var (elements, shape) = session.Run<float>([_model.Graph.Outputs[0].Name])[0];

        Assert.Equal(dims, shape);
        Assert.All(elements, static e => Assert.True(e is 0 or 2));
    }

    [Fact]
    public void ForTraining_WhenThereIsNothing_GivesNothing()
    {
        var x = _model.Graph.AddInput("other", ElementType.Float, [0, 3]);
        _model.Graph.AddOutput(Dropout(x, 0.5, live: true));
        DropoutLowering.ForTraining(_model, _shapes);
        using var session = new TestSession(_model);
        session.Feed("x", new double[15], 3, 5);
        session.Feed("other", Array.Empty<float>(), 0, 3);
        session.Feed(SeededBits.SeedInput, Seed);

        var (elements, shape) = session.Run<float>([_model.Graph.Outputs[0].Name])[0];

        Assert.Empty(elements);
        Assert.Equal([0, 3], shape);
    }

    [Fact]
    public void ForTraining_WhenRatioIsOne_DropsAllWithoutNaN()
    {
        var y = Dropout(_x, 1, live: true);
        _model.Graph.AddOutput(_g.Mul(y, 2));
        DropoutLowering.ForTraining(_model, _shapes);
        var masked = _model.Graph.Outputs[0].Producer!.Inputs[0]!;
        var gradient = new Differentiator(_model, _g).Differentiate([new Seed(masked, _x)], [_x])[0];
        _model.Graph.AddOutput(gradient);

        var results = Run(_model, withSeed: true);

        Assert.All(results, static r => Assert.All(r, static e => Assert.Equal(0, e)));
    }

    [Theory]
    [InlineData(0.5, false)]
    [InlineData(0.0, true)]
    public void ForTraining_WhenDropoutDoesNothing_RemovesIt(double ratio, bool live)
    {
        _model.Graph.AddOutput(_g.Mul(Dropout(_x, ratio, live), 2));

        DropoutLowering.ForTraining(_model, _shapes);

        Assert.Equal(["Mul"], _model.Graph.Nodes.Select(static n => n.OpType));
        Assert.Null(_model.Graph.Find(SeededBits.SeedInput));
    }

    [Fact]
    public void ForTraining_WhenRatioIsComputed_Throws()
    {
        var ratio = _model.Graph.AddInput("ratio", ElementType.Float, []);
        _model.Graph.AddOutput(_g.Op("Dropout", _x, ratio, _g.Scalar(ElementType.Bool, 1)));

        var lower = () => DropoutLowering.ForTraining(_model, _shapes);

        Assert.Contains("'ratio'", Assert.Throws<UnsupportedOpException>(lower).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ForEvaluation_WhenRun_PassesEverything()
    {
        _model.Graph.AddOutput(_g.Mul(Dropout(_x, 0.5, live: true), 2));

        DropoutLowering.ForEvaluation(_model);

        Assert.DoesNotContain(_model.Graph.Nodes, static n => n.Is("Dropout"));
        Assert.Equal(Inputs().Select(static v => 2 * v), Run(_model, withSeed: false)[0]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Lowering_WhenDropoutIsAResult_KeepsItsName(bool training)
    {
        var y = Dropout(_x, 0.5, live: true);
        _model.Graph.Rename(y, "hidden");
        _model.Graph.AddOutput(y);

        if (training)
            DropoutLowering.ForTraining(_model, _shapes);
        else
            DropoutLowering.ForEvaluation(_model);

        Assert.Equal("hidden", Assert.Single(_model.Graph.Outputs).Name);
        Assert.Single(Run(_model, training));
    }

    private static double Difference(TestSession session, string loss, double[] x, int i)
    {
        const double Step = 1e-5;
        var at = x[i];
        x[i] = at + Step;
        var above = session.Run<double>(loss)[0];
        x[i] = at - Step;
        var below = session.Run<double>(loss)[0];
        x[i] = at;
        return (above - below) / (2 * Step);
    }

    private static double[] Inputs() => [.. Enumerable.Range(1, 15).Select(static i => (double)i)];

    private static double[][] Run(Model model, bool withSeed)
    {
        using var session = new TestSession(model);
        session.Feed("x", Inputs(), 3, 5);
        if (withSeed)
            session.Feed(SeededBits.SeedInput, Seed);
        var outputs = model.Graph.Outputs.Select(static o => o.Name);
        return [.. session.Run<double>([.. outputs]).Select(static r => r.Elements)];
    }

    private Value Dropout(Value x, double ratio, bool live) =>
        _g.Op("Dropout", x, _g.Scalar(ElementType.Float, ratio), _g.Scalar(ElementType.Bool, live ? 1 : 0));
}
