using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes.Contrib;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Onnx.Tests.Corpus;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Tests.Passes.Contrib;

/// <summary>
/// Operands that ONNX Runtime's CPU kernel does not take packed, or where it reads less than the operator's definition
/// says: compared with a node that it reads in full.
/// </summary>
public sealed class PackedOperandsTests
{
    private const long Batch = 2;
    private const long Sequence = 3;
    private static readonly Dictionary<string, long> Symbols = [];

    [Theory]
    [InlineData(3, "")]
    [InlineData(2, "")]
    [InlineData(3, "bias")]
    [InlineData(2, "bias")]
    public void MultiHeadAttention_WhenOperandsArePacked_IsWhatItIsApart(int packed, string withBias)
    {
        var apart = Model((g, x) => MultiHead(g, x, withBias.Length > 0));
        var together = Model((g, x) =>
            MultiHead(g, [.. x[..(3 - packed)], Packed(g, x[(3 - packed)..])], withBias.Length > 0));
        var inputs = NodeInputs.For(apart.Graph, Symbols, seed: 1);
        var expected = Run.Of(OnnxFile.ToBytes(apart), inputs, optimise: false)["y"];

        ContribOps.Run(together);

        SameResults.Near(expected, Run.Of(OnnxFile.ToBytes(together), inputs, optimise: false)["y"], 2e-5f);
    }

    /// <summary>The places from 3 on turn tokens as if three more stood before them.</summary>
    [Fact]
    public void GroupQueryAttention_WhenPositionsAreGiven_TurnsByThem()
    {
        var given = GroupQuery((g, _) => g.Graph.AddInitializer(
            "positions", Tensor.Of<long>([3, 4, 5, 3, 4, 5], [Batch, Sequence])));

        SameResults.Check(given, ContribOps.Run, NodeInputs.For(given.Graph, Symbols, seed: 2), 2e-5f);
    }

    /// <summary>
    /// The second row has one token of three: what its padding gives is undefined, what its token and the first row
    /// give is not.
    /// </summary>
    [Fact]
    public void GroupQueryAttention_WhenAPromptIsPaddedOnTheRight_KeepsTheRestOfEachRow()
    {
        var model = GroupQuery(static (_, _) => null, lengths: [2, 0]);
        var g = new GraphBuilder(model.Graph, new ShapeInference(21));
        var y = model.Graph.Outputs[0];
        var isToken = model.Graph.AddInitializer(
            "is_token", Tensor.Of<bool>([true, true, true, true, false, false], [Batch, Sequence, 1]));
        model.Graph.RemoveOutput(y);
        model.Graph.AddOutput(g.Where(isToken, y, g.ScalarLike(y, 0)));

        SameResults.Check(model, ContribOps.Run, NodeInputs.For(model.Graph, Symbols, seed: 2), 2e-5f);
    }

    private static Model Model(Func<GraphBuilder, Value[], Value> build)
    {
        var model = new Model(21);
        model.Opsets["com.microsoft"] = 1;
        var g = new GraphBuilder(model.Graph, new ShapeInference(21));
        var x = Enumerable.Range(0, 3)
            .Select(i => model.Graph.AddInput($"x{i}", ElementType.Float, [Batch, Sequence, 8])).ToArray();
        var y = build(g, x);
        model.Graph.Rename(y, "y");
        model.Graph.AddOutput(y);
        return model;
    }

    private static Value MultiHead(GraphBuilder g, Value[] operands, bool withBias)
    {
        var numbers = Enumerable.Range(0, 24).Select(static i => i / 12f).ToArray();
        Value?[] inputs = [.. operands, .. new Value?[3 - operands.Length]];
        if (withBias)
            inputs = [.. inputs, g.Graph.AddInitializer("bias", Tensor.Of<float>(numbers, [24]))];
        return g.Ops("MultiHeadAttention", 1, inputs, [NodeAttribute.Of("num_heads", 2L)], "com.microsoft")[0];
    }

    /// <summary><c>[batch, sequence, heads, count, width]</c>.</summary>
    private static Value Packed(GraphBuilder g, Value[] x) =>
        g.Concat(3, [.. x.Select(v => g.Reshape(v, 0, 0, 2, 1, 4))]);

    private static Model GroupQuery(Func<GraphBuilder, Value, Value?> positions, int[]? lengths = null)
    {
        var model = new Model(21);
        model.Opsets["com.microsoft"] = 1;
        var g = new GraphBuilder(model.Graph, new ShapeInference(21));
        var query = model.Graph.AddInput("query", ElementType.Float, [Batch, Sequence, 64]);
        var key = model.Graph.AddInput("key", ElementType.Float, [Batch, Sequence, 32]);
        var value = model.Graph.AddInput("value", ElementType.Float, [Batch, Sequence, 32]);
        var cos = model.Graph.AddInput("cos", ElementType.Float, [9, 8]);
        var sin = model.Graph.AddInput("sin", ElementType.Float, [9, 8]);
        var ends = g.Constant(Tensor.Of<int>(lengths ?? [2, 2], [Batch]));
        var longest = g.Constant(Tensor.Scalar((int)Sequence));
        NodeAttribute[] attributes =
        [
            NodeAttribute.Of("num_heads", 4L), NodeAttribute.Of("kv_num_heads", 2L), NodeAttribute.Of("do_rotary", 1L),
        ];
        Value?[] inputs = [query, key, value, null, null, ends, longest, cos, sin, positions(g, query)];
        foreach (var output in g.Ops("GroupQueryAttention", 3, inputs, attributes, "com.microsoft"))
            model.Graph.AddOutput(output);
        return model;
    }
}
