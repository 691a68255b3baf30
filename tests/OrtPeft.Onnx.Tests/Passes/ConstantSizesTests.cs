using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Onnx.Tests.Passes;

public sealed class ConstantSizesTests
{
    [Theory]
    [InlineData(28)]
    [InlineData(31)]
    [InlineData(62)]
    public void Run_OnAConstantOfShapeBeyondTheLimit_NamesNodeAndShape(int exponent) => Refused(g =>
        Op(g, "ConstantOfShape", Ints(g, "n", 1L << exponent)), "ConstantOfShape", $"{1L << exponent}");

    [Fact]
    public void Run_OnARangeBeyondTheLimit_NamesIt() => Refused(
        static g => Op(g, "Range", Scalar(g, "from", 0), Scalar(g, "to", 1L << 30), Scalar(g, "by", 1)), "Range");

    [Fact]
    public void Run_OnAnExpansionInSteps_NamesTheStep() => Refused(
        static g => Op(g, "Expand", Op(g, "Expand", Ints(g, "v", 1), Ints(g, "a", 1024, 1)), Ints(g, "b", 1024, 1 << 20)),
        "Expand");

    [Fact]
    public void Run_OnAxesThatTheDataDecides_CountsTheOthers() => Refused(
        static g => Op(
            g,
            "Expand",
            g.AddInput("x", ElementType.Float, [Dim.Named("batch"), 1]),
            Ints(g, "n", 1, 1L << 40)),
        "Expand");

    /// <summary>A rotary table for 131,072 positions, and their mask for one query.</summary>
    [Fact]
    public void Run_OnTablesOfALongContext_Passes()
    {
        var model = new Model(17);
        var g = model.Graph;
        var places = Op(g, "Range", Scalar(g, "from", 0), Scalar(g, "to", 131072), Scalar(g, "by", 1));
        var column = Op(g, "Unsqueeze", places, Ints(g, "axis", 1));
        Op(g, "Expand", column, Ints(g, "wide", 131072, 128));

        ConstantSizes.Run(model);

        Assert.Equal("[131072, 128]", g.Nodes[^1].Output.Shape!.ToString());
    }

    /// <summary>A weight that the file holds may become wider, whatever its size.</summary>
    [Fact]
    public void Run_OnAWeightThatIsCast_Passes()
    {
        var model = new Model(17);
        var bytes = new Tensor(ElementType.Int8, [1L << 28], new Unread(1L << 28));
        model.Graph.AddNode(
            "Cast", [model.Graph.AddInitializer("w", bytes)], ["wide"], [NodeAttribute.Of("to", (long)ElementType.Float)]);

        var error = Record.Exception(() => ConstantSizes.Run(model));

        Assert.Null(error);
    }

    private static void Refused(Func<Graph, Value> build, params string[] words)
    {
        var model = new Model(17);
        build(model.Graph);

        var error = Assert.Throws<UnsupportedOpException>(() => ConstantSizes.Run(model));

        Assert.All(words, word => Assert.Contains(word, error.Message, StringComparison.Ordinal));
    }

    private static Value Ints(Graph graph, string name, params long[] numbers) =>
        graph.AddInitializer(name, Tensor.Vector<long>(numbers));

    private static Value Scalar(Graph graph, string name, long number) =>
        graph.AddInitializer(name, Tensor.Scalar(number));

    private static Value Op(Graph graph, string op, params Value[] inputs) =>
        graph.AddNode(op, inputs, [graph.FreshName(op)]).Output;

    /// <summary>Stands for a mapped file of any length.</summary>
    private sealed class Unread(long length) : TensorData
    {
        public override long Length => length;

        public override ReadOnlySpan<byte> Slice(long offset, int count) => throw new NotSupportedException();

        public override PinnedBytes Pin() => throw new NotSupportedException();
    }
}
