using OrtPeft.Adapters;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;
using OrtPeft.Testing;

namespace OrtPeft.Training.Tests.Runs;

/// <summary>
/// Tables of positions that an <c>If</c> chooses by the length of the text, as LongRoPE has them, in each way that
/// exporters write: it trains as with the table that is taken.
/// </summary>
public sealed class ChosenTablesTests
{
    private const string Table = "transformer.wpe.weight";

    public static TheoryData<string, string, bool> Spellings
    {
        get
        {
            var data = new TheoryData<string, string, bool>();
            foreach (var table in (string[])["initializer", "constant", "captured", "nested"])
                foreach (var condition in (string[])["ids", "positions", "mask"])
                    data.Add(table, condition, (table.Length + condition.Length) % 2 == 0);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Spellings))]
    public void Run_WithATableChosenByLength_TrainsAsWithThatTable(string table, string condition, bool isLong)
    {
        var chosen = Chosen(table, condition, isLong);

        var losses = Losses(chosen);

        Assert.Contains(chosen.Graph.Nodes, static n => n.Is("If"));
        Assert.Equal(Losses(InputKinds.Usual), losses);
    }

    /// <summary>A branch's weights in a file beside the graph are read, trained with, merged and written there.</summary>
    [Fact]
    public void Merge_WithExternalDataInABranch_KeepsItThere()
    {
        using var folder = new TemporaryFolder();
        var (given, merged) = (Path.Combine(folder.Path, "given.onnx"), Path.Combine(folder.Path, "merged.onnx"));
        var options = new OnnxSaveOptions { ExternalData = true, ExternalThresholdBytes = 0 };
        OnnxFile.Save(Chosen("initializer", "ids", isLong: false), given, options);
        var peft = Tiny.Lora(OnnxFile.Load(given));
        Tiny.Run(peft, Tiny.Arguments with { MaxSteps = 3 });

        OnnxFile.Save(peft.Merge(), merged, options);

        var read = OnnxFile.Load(merged);
        using var before = new Evaluator(peft, Tiny.Arguments.Runtime);
        using var after = new Evaluator(read, Tiny.Arguments.Runtime);
        Assert.Equal(before.Evaluate(Tiny.Data, 3).Loss, after.Evaluate(Tiny.Data, 3).Loss, 1e-5);
        var (old, kept) = (TablesOf(OnnxFile.Load(given)), TablesOf(read));
        Assert.Equal(["given.onnx.data", "given.onnx.data"], old.Select(static t => Path.GetFileName(FileOf(t))));
        Assert.Equal(["merged.onnx.data", "merged.onnx.data"], kept.Select(static t => Path.GetFileName(FileOf(t))));
        Assert.Equal(old.Select(static t => t.ToFloat32()), kept.Select(static t => t.ToFloat32()));
    }

    private static string FileOf(Tensor table) => Assert.IsType<MappedTensorData>(table.Data).File.Path;

    private static Tensor[] TablesOf(Model model) =>
        [.. model.Graph.Nodes.Single(static n => n.Is("If")).Subgraphs.Select(static g => g.Initializers.Single().Initializer!)];

    private static double[] Losses(Model model) =>
        [.. Tiny.Run(Tiny.Lora(model), Tiny.Arguments with { MaxSteps = 3 }).Select(static s => s.Loss)];

    /// <summary>The usual graph with a choice between its table and zeros; the table is taken.</summary>
    private static Model Chosen(string table, string condition, bool isLong)
    {
        var model = InputKinds.Usual;
        var graph = model.Graph;
        var usual = graph.Find(Table)!;
        var g = new GraphBuilder(graph, new ShapeInference(model.Opset)) { Before = graph.Nodes[0], Scope = "/rope" };
        var length = condition switch
        {
            "ids" => g.Op("Gather", g.Shape(graph.Find("input_ids")!), g.Scalar(ElementType.Int64, 1)),
            "positions" => g.Op("ReduceMax", [graph.Find("position_ids")!], NodeAttribute.Of("keepdims", 0)),
            _ => g.Op("Gather", g.Shape(graph.Find("attention_mask")!), g.Scalar(ElementType.Int64, 1)),
        };
        var flag = g.Op("Greater", length, g.Scalar(ElementType.Int64, isLong ? 1 : 1000));
        var zeros = Tensor.Of<float>(new float[usual.Initializer!.Count], [.. usual.Initializer.Dims]);
        var (taken, other) = (Branch(graph, usual.Initializer, "taken"), Branch(graph, zeros, "other"));
        var choice = Choice(graph, flag, isLong ? taken : other, isLong ? other : taken);
        choice.Shape = usual.Shape;
        foreach (var use in usual.Uses.Where(static u => u.Node.Is("Gather")).ToArray())
            use.Node.SetInput(use.Index, choice);
        graph.RemoveDeadCode();
        return model;

        Value Choice(Graph owner, Value flag, Graph then, Graph otherwise)
        {
            NodeAttribute[] branches =
                [NodeAttribute.Of("then_branch", then), NodeAttribute.Of("else_branch", otherwise)];
            var before = owner == graph ? graph.Nodes.First(n => n.Inputs.Contains(usual)) : null;
            var made = owner.AddNode("If", [flag], [owner.FreshName("chosen")], branches, name: "/choice", before: before).Output;
            made.Type = ElementType.Float;
            return made;
        }

        Graph Branch(Graph around, Tensor content, string name)
        {
            var branch = new Graph(name, around);
            branch.AddOutput(table switch
            {
                "initializer" => branch.AddInitializer($"{name}/table", content),
                "constant" => branch.AddNode("Constant", [], [$"{name}/table"], [NodeAttribute.Of("value", content)]).Output,
                "captured" => branch.AddNode(
                    "Identity", [graph.AddInitializer($"{name}/table", content)], [$"{name}/same"]).Output,
                _ => Choice(branch, flag, Inner(branch, content, $"{name}/1"), Inner(branch, content, $"{name}/2")),
            });
            branch.Outputs[0].Type = ElementType.Float;
            branch.Outputs[0].Shape = usual.Shape;
            return branch;
        }

        static Graph Inner(Graph around, Tensor content, string name)
        {
            var branch = new Graph(name, around);
            branch.AddOutput(branch.AddInitializer($"{name}/table", content));
            return branch;
        }
    }
}
