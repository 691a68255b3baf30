using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Tests.Shapes;

/// <summary>Lengths that grow with every node: inference gives them up instead of taking all time and memory.</summary>
public sealed class GrowthTests
{
    private const int Nodes = 60;

    private static readonly Tensor Three = Tensor.Vector<long>(3);

    public static TheoryData<string> Chains => [.. Steps.Keys];

    private static Dictionary<string, Func<Graph, Value, int, Value>> Steps => new()
    {
        ["squares of sums"] = static (g, n, i) => Op(g, "Mul", $"s{i}", i == 0 ? Op(g, "Add", "p", n, Of(g, i)) : n, n),
        ["powers"] = static (g, n, i) => Op(g, "Mul", $"s{i}", n, n),
        ["quotients"] = static (g, n, i) =>
            Op(g, "Div", $"s{i}", Op(g, "Mul", $"m{i}", n, n), Op(g, "Add", $"a{i}", n, Of(g, i))),
        ["remainders"] = static (g, n, i) =>
            Op(g, "Mod", $"s{i}", Op(g, "Mul", $"m{i}", n, n), Op(g, "Add", $"a{i}", n, Of(g, i))),
    };

    [Theory]
    [MemberData(nameof(Chains))]
    public void Infer_OfAChain_EndsInAnUnknownLength(string chain)
    {
        var model = new Model(17);
        var ids = model.Graph.AddInput("ids", ElementType.Int64, [Dim.Named("batch"), Dim.Named("sequence")]);
        var n = Op(model.Graph, "Shape", "shape", ids);
        for (var i = 0; i < Nodes; i++)
            n = Steps[chain](model.Graph, n, i);
        var result = Op(model.Graph, "ConstantOfShape", "result", n);

        new ShapeInference(17).Infer(model.Graph);

        Assert.Equal("[?, ?]", result.Shape!.ToString());
    }

    [Fact]
    public void Infer_OfAStatedLengthBeyondMemory_TakesNone()
    {
        var model = new Model(17);
        var g = model.Graph;
        var flag = g.AddInput("flag", ElementType.Bool, [Dim.Unknown]);
        var chosen = Op(g, "Where", "chosen", flag, Of(g, 0), Of(g, 1));
        chosen.Shape = [int.MaxValue];

        new ShapeInference(17).Infer(g);

        Assert.Equal(int.MaxValue, chosen.Shape![0].Value);
    }

    private static Value Of(Graph graph, int i) => graph.AddInitializer($"three{i}", Three);

    private static Value Op(Graph graph, string op, string name, params Value[] inputs) =>
        graph.AddNode(op, inputs, [name]).Output;
}
