using Microsoft.ML.OnnxRuntime;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Onnx.Tests.Corpus;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Onnx.Tests.Passes;

public sealed class IfResolutionTests
{
    private const string MergedDecoder = "hf442_g2l_legacymerged_op13__decoder_model_merged.onnx";

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Run_OnAConstantCondition_KeepsWhatTheTakenBranchComputes(bool condition)
    {
        var model = Start(out var x);
        var flag = model.Graph.AddInitializer("flag", Tensor.Vector(condition));
        model.Graph.AddOutput(Choose(model.Graph, flag, "y", g => Apply(g, "Exp", x), g => Apply(g, "Neg", x)));

        Check(model);

        Assert.Equal(condition ? "Exp" : "Neg", Assert.Single(model.Graph.Nodes).OpType);
        Assert.Equal("y", Assert.Single(model.Graph.Outputs).Name);
    }

    [Fact]
    public void Run_OnAConditionThatFollowsFromAxes_TakesItsBranch()
    {
        var model = Start(out var x);
        var shape = Apply(model.Graph, "Shape", x);
        var last = Apply(model.Graph, "Gather", shape, model.Graph.AddInitializer("last", Tensor.Scalar(1L)));
        var three = model.Graph.AddInitializer("three", Tensor.Scalar(3L));
        var flag = Apply(model.Graph, "Equal", last, three);
        model.Graph.AddOutput(Choose(model.Graph, flag, "y", g => Apply(g, "Exp", x), g => Apply(g, "Neg", x)));

        Check(model);

        Assert.Equal("Exp", Assert.Single(model.Graph.Nodes).OpType);
    }

    [Fact]
    public void Run_OnBranchesWithTheSameNames_RenamesTheLaterOnes()
    {
        var model = Start(out var x);
        var flag = model.Graph.AddInitializer("flag", Tensor.Vector(true));
        var first = Choose(model.Graph, flag, "first", g => Scaled(g, "Exp", 2), g => Scaled(g, "Abs", 3));
        var second = Choose(model.Graph, flag, "second", g => Scaled(g, "Sin", 5), g => Scaled(g, "Abs", 7));
        model.Graph.AddOutput(Apply(model.Graph, "Add", first, second));

        Check(model);

        Assert.Equal(["Exp", "Mul", "Sin", "Mul", "Add"], model.Graph.Nodes.Select(static n => n.OpType));
        Assert.Equal(5, model.Graph.Nodes.Select(static n => n.Name).Distinct().Count());

        Value Scaled(Graph g, string op, float by)
        {
            var factor = g.AddInitializer("factor", Tensor.Scalar(by));
            var inner = g.AddNode(op, [x], ["same"], name: "node").Output;
            return g.AddNode("Mul", [inner, factor], ["scaled"], name: "scale").Output;
        }
    }

    [Fact]
    public void Run_OnNestedNodes_ResolvesTheKnownOnesAndKeepsTheOthers()
    {
        var model = Start(out var x);
        var flag = model.Graph.AddInitializer("flag", Tensor.Vector(true));
        var fed = model.Graph.AddInput("fed", ElementType.Bool, [1]);
        model.Graph.AddOutput(Choose(
            model.Graph,
            flag,
            "y",
            g => Choose(
                g,
                fed,
                "z",
                h => Choose(h, flag, "inner", i => Apply(i, "Exp", x), i => Apply(i, "Neg", x)),
                h => Apply(h, "Abs", x)),
            g => Apply(g, "Neg", x)));

        Check(model);

        var kept = Assert.Single(model.Graph.Nodes);
        Assert.Equal("fed", kept.Input(0)!.Name);
        Assert.Equal(["Abs", "Exp"], kept.Subgraphs.Select(static g => g.Nodes.Single().OpType).Order());
    }

    [Fact]
    public void Run_OnBranchesOfDifferentShapes_KnowsTheOneThatIsTaken()
    {
        var model = Start(out var x);
        var flag = model.Graph.AddInitializer("flag", Tensor.Vector(false));
        var axis = model.Graph.AddInitializer("axis", Tensor.Vector(0L));
        var y = Choose(model.Graph, flag, "y", g => Apply(g, "Unsqueeze", x, axis), g => Apply(g, "Neg", x));
        model.Graph.AddOutput(Apply(model.Graph, "Shape", y));
        model.Graph.AddOutput(y);

        Check(model);

        Assert.Equal(Shape.Of([2, 3]), model.Graph.Find("y")!.Shape);
    }

    [Theory]
    [InlineData("x")]
    [InlineData("constant")]
    [InlineData("outer")]
    public void Run_OnABranchThatOnlyPassesAValueOn_KeepsTheResultsName(string what)
    {
        var model = Start(out var x);
        var flag = model.Graph.AddInitializer("flag", Tensor.Vector(true));
        model.Graph.AddInitializer("constant", Tensor.Of<float>([1, 2, 3, 4, 5, 6], [2, 3]));
        model.Graph.AddOutput(model.Graph.AddNode("Sin", [x], ["outer"]).Output);
        var found = model.Graph.Find(what)!;
        model.Graph.AddOutput(Choose(model.Graph, flag, "y", _ => found, g => Apply(g, "Neg", x)));

        IfResolution.Run(model);

        GraphValidator.Check(model.Graph);
        Assert.Equal(["outer", "y"], model.Graph.Outputs.Select(static o => o.Name));
        Assert.DoesNotContain(model.Graph.Nodes, static n => n.OpType == "If");
    }

    [Fact]
    public void Run_OnAConditionThatIsFed_LeavesTheNode()
    {
        var model = Start(out var x);
        var fed = model.Graph.AddInput("fed", ElementType.Bool, [1]);
        model.Graph.AddOutput(Choose(model.Graph, fed, "y", g => Apply(g, "Exp", x), g => Apply(g, "Neg", x)));

        Check(model);

        Assert.Equal("If", Assert.Single(model.Graph.Nodes).OpType);
    }

    [Fact]
    public void Run_OnABranchWithTooFewResults_NamesTheNode()
    {
        var model = Start(out var x);
        var flag = model.Graph.AddInitializer("flag", Tensor.Vector(true));
        var y = Choose(model.Graph, flag, "y", g => Apply(g, "Exp", x), g => Apply(g, "Neg", x));
        model.Graph.AddNodeOutput(y.Producer!, "extra");

        var error = Assert.Throws<GraphException>(() => IfResolution.Run(model));

        Assert.Contains("If", error.Message, StringComparison.Ordinal);
        Assert.Contains("then_branch", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_OnAMergedDecoder_TakesTheBranchWithoutAPast()
    {
        var model = OnnxFile.Load(Fixtures.Graph(MergedDecoder));
        var feeds = RandomInputs.For(model.Graph, new Sizes(2, 5, 0), seed: 3);
        feeds["use_cache_branch"] = OrtValue.CreateTensorValueFromMemory(new[] { false }, [1]);

        SameResults.Check(model, IfResolution.Run, feeds);

        Assert.Equal(["input_ids", "attention_mask"], model.Graph.Inputs.Select(static i => i.Name));
        Assert.Equal(model.Graph.Inputs[0].Shape, model.Graph.Inputs[1].Shape);
        Assert.NotNull(model.Graph.Find("transformer.h.0.attn.c_attn.weight")?.Initializer);
        Assert.DoesNotContain(model.Graph.Nodes, static n => n.Subgraphs.Any());
    }

    private static Model Start(out Value x)
    {
        var model = new Model(17, irVersion: 8);
        x = model.Graph.AddInput("x", ElementType.Float, [2, 3]);
        return model;
    }

    private static Value Apply(Graph graph, string op, params Value[] inputs) =>
        graph.AddNode(op, inputs, [graph.FreshName(op)]).Output;

    private static Value Choose(
        Graph graph, Value condition, string name, Func<Graph, Value> then, Func<Graph, Value> otherwise)
    {
        NodeAttribute[] branches = [Branch("then_branch", then), Branch("else_branch", otherwise)];
        return graph.AddNode("If", [condition], [name], branches, name: $"choose/{name}").Output;

        NodeAttribute Branch(string attribute, Func<Graph, Value> make)
        {
            var branch = new Graph(attribute, graph);
            branch.AddOutput(make(branch));
            return NodeAttribute.Of(attribute, branch);
        }
    }

    private static void Check(Model model) =>
        SameResults.Check(model, IfResolution.Run, RandomInputs.For(model.Graph, new Sizes(2, 3, 0), seed: 1));
}
