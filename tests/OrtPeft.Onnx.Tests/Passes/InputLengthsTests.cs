using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Tests.Passes;

public sealed class InputLengthsTests
{
    [Theory]
    [InlineData(0, 3, "batch,sequence,8")]
    [InlineData(1, 3, "sequence,8")]
    [InlineData(-2, -1, "sequence")]
    [InlineData(2, 9, "8")]
    [InlineData(3, 3, "")]
    public void Run_OnLengthsOfAValue_AsksTheInput(int start, int end, string expected)
    {
        var g = Builder();
        var x = g.Graph.AddInput("x", ElementType.Float, [Dim.Named("batch"), Dim.Named("sequence"), 8]);
        var lengths = Ask(g, g.Neg(x), start, end);

        InputLengths.Run(g);
        g.Graph.RemoveDeadCode();

        var results = g.Graph.Outputs.Single();
        Assert.Equal(expected, string.Join(',', g.Shapes.DataOf(results)!));
        Assert.DoesNotContain(g.Graph.Nodes, static n => n.Is("Neg"));
        Assert.NotEqual(lengths, results);
    }

    /// <summary>Products and sums of lengths are computed, wherever the first node that asks for one stands.</summary>
    [Fact]
    public void Run_OnLengthsThatAreMadeOfOthers_ComputesThem()
    {
        var g = Builder();
        var x = g.Graph.AddInput("x", ElementType.Float, [Dim.Named("batch"), Dim.Named("sequence"), 8]);
        var longer = g.Concat(1, x, x);
        Ask(g, g.Neg(x), 0, 2);
        Ask(g, g.Reshape(g.Neg(x), -1, 4), 0, 1);
        Ask(g, g.Neg(longer), 1, 2);

        InputLengths.Run(g);
        g.Graph.RemoveDeadCode();

        GraphValidator.Check(g.Graph);
        Assert.DoesNotContain(g.Graph.Nodes, static n => n.Is("Neg"));
        Assert.Equal(
            ["batch,sequence", "2·batch·sequence", "2·sequence"],
            g.Graph.Outputs.Select(o => string.Join(',', g.Shapes.DataOf(o)!)));
    }

    [Fact]
    public void Run_OnALengthThatNoInputHas_KeepsTheNode()
    {
        var g = Builder();
        var x = g.Graph.AddInput("x", ElementType.Float, [Dim.Named("batch"), Dim.Named("sequence")]);
        Ask(g, g.Op("NonZero", x), 0, 2);

        InputLengths.Run(g);

        Assert.Contains(g.Graph.Nodes, static n => n.Is("Shape") && n.Inputs[0]!.Producer is not null);
    }

    [Fact]
    public void Run_OnAnUnknownShape_KeepsTheNode()
    {
        var g = Builder();
        Ask(g, g.Neg(g.Graph.AddInput("x", ElementType.Float, null)), 0, 2);

        InputLengths.Run(g);

        Assert.Contains(g.Graph.Nodes, static n => n.Is("Shape") && n.Inputs[0]!.Producer is not null);
    }

    /// <summary>Two nodes that ask for one length share what asks the input.</summary>
    [Fact]
    public void Run_OnTheSameLengths_AsksOnce()
    {
        var g = Builder();
        var x = g.Graph.AddInput("x", ElementType.Float, [Dim.Named("batch"), 4]);
        Ask(g, g.Neg(x), 0, 1);
        Ask(g, g.Op("Exp", x), 0, 1);
        g.Graph.AddOutput(g.Op("Neg", g.Shape(x)));

        InputLengths.Run(g);

        Assert.Single(g.Graph.Nodes, static n => n.Is("Shape"));
    }

    private static GraphBuilder Builder()
    {
        var model = new Model(21);
        return new GraphBuilder(model.Graph, new ShapeInference(21));
    }

    private static Value Ask(GraphBuilder g, Value x, long start, long end)
    {
        var lengths = g.Op("Shape", [x], NodeAttribute.Of("start", start), NodeAttribute.Of("end", end));
        g.Graph.AddOutput(lengths);
        return lengths;
    }
}
