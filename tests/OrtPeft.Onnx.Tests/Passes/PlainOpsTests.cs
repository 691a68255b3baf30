using Microsoft.ML.OnnxRuntime;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Onnx.Tests.Corpus;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Tests.Passes;

/// <summary>Rare operators become common ones that compute the same in ONNX Runtime, or stay.</summary>
public sealed class PlainOpsTests
{
    private const int Opset = 21;

    private static readonly Dictionary<string, Func<GraphBuilder, Value, Value>> Graphs = new()
    {
        ["CastLike"] = static (g, x) => g.Op("CastLike", g.Op("Shape", x), g.Scalar(ElementType.Float, 1)),
        ["SequenceAt of parts of one length"] = static (g, x) => At(g, Split(g, x, 1, g.Int64Scalar(2)), 1),
        ["SequenceAt of the last, shorter part"] = static (g, x) => At(g, Split(g, x, 1, g.Int64Scalar(4)), -1),
        ["SequenceAt of given lengths"] = static (g, x) => At(g, Split(g, x, -2, g.Int64(1, 3, 2)), 1),
        ["SequenceAt of given lengths, from the end"] = static (g, x) => At(g, Split(g, x, 1, g.Int64(1, 3, 2)), -3),
        ["SequenceAt of single rows"] = static (g, x) => At(g, Split(g, x, 1, null), 3),
        ["SequenceAt of single rows without their axis"] = static (g, x) => At(
            g, g.Op("SplitToSequence", [x], NodeAttribute.Of("axis", 1L), NodeAttribute.Of("keepdims", 0L)), 2),
        ["SequenceAt of tensors"] = static (g, x) => At(g, g.Op("SequenceConstruct", x, g.Neg(x)), -1),
        ["ConcatFromSequence"] = static (g, x) => g.Op(
            "ConcatFromSequence", [g.Op("SequenceConstruct", x, g.Neg(x))], NodeAttribute.Of("axis", 1L)),
        ["ConcatFromSequence along a new axis"] = static (g, x) => g.Op(
            "ConcatFromSequence",
            [g.Op("SequenceConstruct", x, g.Neg(x))],
            NodeAttribute.Of("axis", 1L),
            NodeAttribute.Of("new_axis", 1L)),
        ["Conv of a row"] = static (g, x) => Conv(g, x, 5, [5, 6, 1]),
        ["Conv of a picture"] = static (g, x) => Conv(g, g.Reshape(x, 2, 6, 2, 2), 5, [5, 6, 1, 1]),
    };

    public static TheoryData<string> Names => [.. Graphs.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Run_OnARareOperator_ComputesTheSameWithoutIt(string name)
    {
        var (before, after) = (Build(Graphs[name]), Build(Graphs[name]));

        PlainOps.Run(after);

        Assert.Contains(before.Graph.Nodes, static n => PlainOps.Operators.Contains(n.OpType));
        Assert.DoesNotContain(after.Graph.Nodes, static n => PlainOps.Operators.Contains(n.OpType)
            || n.OpType.Contains("Sequence", StringComparison.Ordinal));
        Assert.Equal(Results(before), Results(after));
    }

    /// <summary>Kernels wider than a point, groups, strides, and weights that others read too, stay convolutions.</summary>
    [Theory]
    [InlineData(3, 1, 1)]
    [InlineData(1, 2, 1)]
    [InlineData(1, 1, 2)]
    public void Run_OnAnotherConvolution_LeavesIt(int size, long group, long stride)
    {
        var model = Build((g, x) => g.Op(
            "Conv",
            [x, g.Constant(Numbers(6, 6 / group, size), "w")],
            NodeAttribute.Of("group", group),
            NodeAttribute.Of("strides", [stride])));

        PlainOps.Run(model);

        Assert.Contains(model.Graph.Nodes, static n => n.Is("Conv"));
    }

    /// <summary>A layer keeps its weight's name, by which adapters call it.</summary>
    [Fact]
    public void Run_OnAConvolutionOfPoints_KeepsTheWeightsName()
    {
        var model = Build((g, x) => g.Op("Conv", x, g.Graph.AddInitializer("mlp.fc.weight", Numbers(5, 6, 1))));

        PlainOps.Run(model);

        Assert.Equal([5, 6], model.Graph.Find("mlp.fc.weight")!.Initializer!.Dims.AsSpan().ToArray());
    }

    /// <summary>Which element is wanted is not known, or there is none there.</summary>
    [Theory]
    [InlineData(7L)]
    [InlineData(-4L)]
    [InlineData(null)]
    public void Run_OnAnUnknownElement_LeavesTheNode(long? place)
    {
        var model = Build((g, x) =>
        {
            var at = place is { } known ? g.Int64Scalar(known) : g.Graph.AddInput("at", ElementType.Int64, []);
            return g.Op("SequenceAt", Split(g, x, 1, g.Int64(1, 3, 2)), at);
        });

        PlainOps.Run(model);

        Assert.Contains(model.Graph.Nodes, static n => n.Is("SequenceAt"));
    }

    private static Value Split(GraphBuilder g, Value x, long axis, Value? lengths) =>
        g.Op("SplitToSequence", [x, lengths], NodeAttribute.Of("axis", axis));

    private static Value At(GraphBuilder g, Value sequence, long place) =>
        g.Op("SequenceAt", sequence, g.Int64Scalar(place));

    private static Value Conv(GraphBuilder g, Value x, int outs, long[] dims) =>
        g.Op("Conv", x, g.Constant(Numbers(dims), "w"), g.Constant(Numbers(outs), "b"));

    private static Model Build(Func<GraphBuilder, Value, Value> build)
    {
        var model = new Model(Opset);
        var g = GraphBuilder.Over(model);
        var x = g.Graph.AddInput("x", ElementType.Float, [2, 6, 4]);
        var y = build(g, x);
        if (y.Type == ElementType.Undefined)
            y.Type = ElementType.Float;
        g.Graph.Rename(y, "y");
        g.Graph.AddOutput(y);
        return model;
    }

    private static Tensor Numbers(params long[] dims)
    {
        var count = (int)dims.Aggregate(1L, static (a, b) => a * b);
        return Tensor.Of<float>([.. Enumerable.Range(0, count).Select(static i => (float)(i * 37 % 11) - 5)], dims);
    }

    /// <summary>Small whole numbers: sums have no rounding.</summary>
    private static byte[] Results(Model model)
    {
        using var x = OrtValue.CreateTensorValueFromMemory(Numbers(2, 6, 4).ToFloat32(), [2, 6, 4]);
        return Run.Of(OnnxFile.ToBytes(model), new() { ["x"] = x })["y"].Bytes;
    }
}
