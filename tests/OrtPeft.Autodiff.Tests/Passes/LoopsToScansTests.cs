using OrtPeft.Autodiff.Tests.Proof;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Autodiff.Tests.Passes;

/// <summary>Loops that run a given number of times become Scan and compute the same; others stay.</summary>
public sealed class LoopsToScansTests
{
    [Theory]
    [InlineData("constant", true)]
    [InlineData("length", true)]
    [InlineData("passes its condition on", true)]
    [InlineData("without a condition", true)]
    [InlineData("ends by a condition", false)]
    [InlineData("begins by a condition", false)]
    [InlineData("grows", false)]
    [InlineData("no state", true)]
    public void Run_KeepsWhatTheLoopComputes(string kind, bool isTurned)
    {
        var (model, before) = (Build(kind), Build(kind));

        LoopsToScans.Run(model);

        Assert.Equal(isTurned ? ["Scan"] : ["Loop"], model.Graph.Nodes.Select(static n => n.OpType).Where(static o => o is "Scan" or "Loop"));
        GraphValidator.Check(model.Graph);
        if (kind == "grows")
            Assert.Equal(Dim.Unknown, model.Graph.Nodes.Single(static n => n.Is("Loop")).Subgraphs.Single().Inputs[2].Shape![0]);
        foreach (var (expected, actual) in Answers(before).Zip(Answers(model)))
        {
            Assert.Equal(expected.Dims, actual.Dims);
            Assert.Equal(expected.Elements, actual.Elements);
        }
    }

    private static IReadOnlyList<(float[] Elements, long[] Dims)> Answers(Model model)
    {
        using var session = new TestSession(model);
        session.Feed("x", [0.5f, -1, 2, 0.25f, 3, 1], [3, 2]);
        return session.Run<float>([.. model.Graph.Outputs.Select(static o => o.Name)]);
    }

    /// <summary>s' = tanh(s + x[i]) · (i + 1), which is given out too.</summary>
    private static Model Build(string kind)
    {
        var model = new Model(opset: 21);
        var g = new GraphBuilder(model.Graph, new ShapeInference(21));
        var x = model.Graph.AddInput("x", ElementType.Float, [Dim.Named("steps"), 2]);
        model.Graph.Rename(g.Op("Cos", g.Constant(Tensor.Vector(0.5f))), "outer");
        var body = new Graph("body", model.Graph);
        var step = body.AddInput("i", ElementType.Int64, []);
        var going = body.AddInput("going", ElementType.Bool, []);
        var b = new GraphBuilder(body, g.Shapes) { Scope = "/body" };
        var state = kind == "no state" ? b.Constant(Tensor.Vector(1f, 2f)) : body.AddInput("s", ElementType.Float, kind == "grows" ? [Dim.Unknown, 2] : [2]);
        var row = b.Gather(x, step);
        var next = kind == "grows"
            ? b.Concat(0, state, b.Unsqueeze(b.Add(row, g.Graph.Find("outer")!), 0))
            : b.Mul(b.Op("Tanh", b.Add(b.Add(state, row), g.Graph.Find("outer")!)), b.Cast(b.Add(step, b.Int64Scalar(1)), ElementType.Float));
        body.AddOutput(kind switch
        {
            "passes its condition on" => b.Op("Identity", going),
            "ends by a condition" => b.Op("Less", step, b.Int64Scalar(1)),
            _ => b.Op("Identity", b.Constant(Tensor.Scalar(true))),
        });
        if (kind != "no state")
            body.AddOutput(next);
        body.AddOutput(b.Op("Neg", kind == "grows" ? row : next));
        var length = g.Squeeze(g.Op("Slice", g.Shape(x), g.Int64(0), g.Int64(1)), 0);
        var condition = kind switch
        {
            "without a condition" => null,
            "begins by a condition" => g.Op("Greater", length, g.Int64Scalar(2)),
            _ => g.Constant(Tensor.Scalar(true)),
        };
        var first = g.Constant(Tensor.Of<float>([0.1f, 0.2f], kind == "grows" ? [1, 2] : [2]));
        Value?[] inputs = [kind == "constant" ? g.Int64Scalar(3) : length, condition, .. kind == "no state" ? Array.Empty<Value>() : [first]];
        var results = g.Ops("Loop", body.Outputs.Count - 1, inputs, [NodeAttribute.Of("body", body)]);
        foreach (var (n, result) in results.Index())
        {
            result.Type = ElementType.Float;
            result.Shape = kind == "grows" || n == results.Count - 1 ? [Dim.Unknown, 2] : [2];
            model.Graph.AddOutput(result);
        }

        return model;
    }
}
