using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Tests.Corpus;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Tests.Passes;

/// <summary>Graphs that a node repeats run as they are; with layers inside, the node is refused by name.</summary>
public sealed class ControlFlowTests
{
    public static TheoryData<string> Repeating => ["Loop", "Scan", "SequenceMap"];

    [Theory]
    [MemberData(nameof(Repeating))]
    public void Refuse_OnARepeatedGraphWithAWeightMatrix_NamesTheNode(string opType)
    {
        var model = Repeated(opType, static (body, x) => Apply(body, "MatMul", x, Matrix(body)));

        AssertRefused(model, $"{opType} \"/again\"");
    }

    [Theory]
    [MemberData(nameof(Repeating))]
    public void Refuse_WhenTheMatrixStandsAround_NamesTheNode(string opType)
    {
        var model = Repeated(opType, static (body, x) => Apply(body, "MatMul", x, Matrix(body.Parent!)));

        AssertRefused(model, $"{opType} \"/again\"");
    }

    [Theory]
    [MemberData(nameof(Repeating))]
    public void Refuse_WhenTheMatrixIsInAnInnerChoice_NamesTheOuterNode(string opType)
    {
        var model = Repeated(opType, static (body, x) =>
        {
            var (then, otherwise) = (new Graph("then", body), new Graph("else", body));
            then.AddOutput(Apply(then, "MatMul", x, Matrix(then)));
            otherwise.AddOutput(Apply(otherwise, "Neg", x));
            NodeAttribute[] branches =
                [NodeAttribute.Of("then_branch", then), NodeAttribute.Of("else_branch", otherwise)];
            var flag = body.Parent!.AddInput("flag", ElementType.Bool, []);
            return body.AddNode("If", [flag], ["chosen"], branches).Output;
        });

        AssertRefused(model, $"{opType} \"/again\"");
    }

    /// <summary>A table, such as one of two of rotary embedding, is no layer; a matrix that a product reads is.</summary>
    [Theory]
    [InlineData("Gather", false)]
    [InlineData("MatMul", true)]
    [InlineData("Transpose", true)]
    [InlineData("Identity", true)]
    public void Refuse_OnAChoiceOfMatrices_LooksAtWhatReadsThem(string reader, bool isRefused)
    {
        var model = new Model(21);
        var graph = model.Graph;
        var (then, otherwise) = (new Graph("then", graph), new Graph("else", graph));
        then.AddOutput(Matrix(then));
        otherwise.AddOutput(Matrix(otherwise));
        NodeAttribute[] branches = [NodeAttribute.Of("then_branch", then), NodeAttribute.Of("else_branch", otherwise)];
        var chosen = graph.AddNode("If", [graph.AddInput("flag", ElementType.Bool, [])], ["chosen"], branches).Output;
        Value?[] inputs = reader switch
        {
            "Gather" => [chosen, graph.AddInput("places", ElementType.Int64, [3])],
            "MatMul" => [graph.AddInput("x", ElementType.Float, [3, 2]), chosen],
            _ => [chosen],
        };
        graph.AddOutput(graph.AddNode(reader, inputs, ["y"]).Output);

        if (isRefused)
            Assert.Throws<UnsupportedOpException>(() => ControlFlow.Refuse(model));
        else
            ControlFlow.Refuse(model);
    }

    [Theory]
    [MemberData(nameof(Repeating))]
    public void Refuse_OnARepeatedGraphWithoutLayers_LeavesItsResults(string opType)
    {
        var model = Repeated(opType, static (body, x) =>
            Apply(body, "Add", x, body.AddInitializer("bias", Tensor.Vector(0.5f, -1f))));

        SameResults.Check(model, Canonical, RandomInputs.For(model.Graph, new Sizes(3, 2, 0), seed: 4));

        var expected = opType == "Loop" ? "Scan" : opType; // a given number of steps
        Assert.Equal(expected, Assert.Single(model.Graph.Nodes, static n => n.Subgraphs.Any()).OpType);

        static void Canonical(Model model)
        {
            CanonicalForm.Apply(model);
            ControlFlow.Refuse(model);
        }
    }

    private static void AssertRefused(Model model, string node)
    {
        CanonicalForm.Apply(model);

        var error = Assert.Throws<UnsupportedOpException>(() => ControlFlow.Refuse(model));

        string[] parts =
            [$"{node} (opset 21) repeats a graph at run time", "layers inside", "export the model without it"];
        Assert.All(parts, part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
    }

    /// <summary>
    /// The body twice over x [3, 2], or over each of its rows, or over a sequence that holds x alone; y [3, 2] float32.
    /// </summary>
    private static Model Repeated(string opType, Func<Graph, Value, Value> body)
    {
        var model = new Model(17, irVersion: 8);
        var graph = model.Graph;
        var x = graph.AddInput("x", ElementType.Float, [3, 2]);
        var inner = new Graph("body", graph);
        var made = opType switch
        {
            "Loop" => Again([graph.AddInitializer("count", Tensor.Scalar(2L)), null, x]),
            "Scan" => Again([x], NodeAttribute.Of("num_scan_inputs", 1L)),
            _ => Again([Apply(graph, "SequenceConstruct", x)]),
        };
        if (opType == "Loop")
        {
            inner.AddInput("iteration", ElementType.Int64, []);
            inner.AddOutput(Apply(inner, "Identity", inner.AddInput("goes_on", ElementType.Bool, [])));
        }

        var each = inner.AddInput("each", ElementType.Float, opType == "Scan" ? [2] : [3, 2]);
        var result = body(inner, each);
        (result.Type, result.Shape) = (each.Type, each.Shape); // SequenceMap runs only where the body states them
        inner.AddOutput(result);
        var y = opType == "SequenceMap"
            ? graph.AddNode("ConcatFromSequence", [made], ["y"], [NodeAttribute.Of("axis", 0L)]).Output
            : made;
        (y.Type, y.Shape) = (ElementType.Float, [3, 2]);
        graph.AddOutput(y);
        return model;

        Value Again(Value?[] inputs, params NodeAttribute[] more) => graph.AddNode(
            opType, inputs, ["repeated"], [NodeAttribute.Of("body", inner), .. more], name: "/again").Output;
    }

    private static Value Matrix(Graph graph) =>
        graph.AddInitializer("weight", Tensor.Of<float>([1, 2, 3, 4], [2, 2]));

    private static Value Apply(Graph graph, string op, params Value[] inputs) =>
        graph.AddNode(op, inputs, [graph.FreshName(op)]).Output;
}
