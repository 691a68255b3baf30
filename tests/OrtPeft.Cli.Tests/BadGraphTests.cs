using OrtPeft.Cli.Tests.Running;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Cli.Tests;

/// <summary>
/// A graph that cannot be worked with ends every verb with exit code 2 and one line that names file, node and opset.
/// </summary>
public sealed class BadGraphTests(Workplace place) : IClassFixture<Workplace>
{
    private static readonly string Adapter = Path.Combine(Fixtures.Folder, "peft_ckpt", "g2l_lora_all");

    private static readonly Dictionary<string, (Action<Model> Damage, string[] Said)> Damages = new()
    {
        ["cycle"] = (
            static m => First(m, "Gemm").SetInput(0, Last(m, "Gemm").Output), ["cycle", "opset 17"]),
        ["self-loop"] = (
            static m => First(m, "Gemm").SetInput(0, First(m, "Gemm").Output), ["cycle", "Gemm \"", "opset 17"]),
        ["rank"] = (
            static m => First(m, "Gemm").SetInput(1, m.Graph.AddInitializer("cube", Tensor.Of<float>([1], [1, 1, 1]))),
            ["Gemm \"", "opset 17", "rank 2"]),
        ["type"] = (
            static m => Last(m, "MatMul").SetInput(1, m.Graph.Find("input_ids")), ["MatMul \"", "opset 17", "Int64"]),
        ["axis"] = (
            static m => First(m, "Concat").Attributes.Set(NodeAttribute.Of("axis", 7L)), ["Concat \"", "axis 7"]),
        ["missing input"] = (
            static m => Last(m, "MatMul").SetInput(1, null), ["MatMul \"", "opset 17", "lacks input 1"]),
        ["float ids"] = (
            static m => m.Graph.Find("input_ids")!.Type = ElementType.Float, ["Gather", "integers", "Float"]),
        ["opset of the future"] = (static m => m.Opsets[""] = 99, ["opset 99"]),
        ["no opset"] = (static m => m.Opsets.Clear(), ["ai.onnx", "opset_import"]),
        ["unknown domain"] = (
            static m => Behind(m, "Mystery", "my.ops"), ["Mystery", "'my.ops'", "opset_import"]),
        ["unknown operator"] = (static m => Behind(m, "Mystery", ""), ["Mystery", "opset"]),
        ["float axes"] = (
            static m =>
            {
                m.Opsets[""] = 18;
                Behind(m, "ReduceMean", "", m.Graph.AddInitializer("axes", Tensor.Vector(1f)));
            },
            ["ReduceMean \"/odd\"", "opset 18", "integers", "Float"]),
        ["attention over rows"] = (
            static m =>
            {
                Behind(m, "Flatten", "");
                var weights = m.Graph.AddInitializer("qkv", Tensor.Of<float>(new float[32 * 96], [32, 96]));
                var attention = m.Graph.AddNode(
                    "Attention", [m.Graph.Find("odd"), weights], ["attended"], [NodeAttribute.Of("num_heads", 2L)],
                    "com.microsoft", "/attention");
                Output(m, attention.Output);
            },
            ["com.microsoft.Attention \"/attention\"", "rank 3, not 2"]),
        ["another Where"] = (
            static m => Behind(m, "Where", "com.microsoft", Tensors(m, 2)), ["com.microsoft", "Where", "export the model"]),
        ["integer logits"] = (
            static m => Output(m, m.Graph.AddNode("Cast", [Logits(m)], ["n"], [NodeAttribute.Of("to", 7L)]).Output),
            ["Int64", "floating-point"]),
        ["flat logits"] = (
            static m => Output(m, m.Graph.AddNode("Flatten", [Logits(m)], ["n"]).Output), ["[batch, sequence, "]),
        ["no logits"] = (
            static m => Output(m, Last(m, "LayerNormalization").Output, "hidden"), ["hidden", "language-model head"]),
        ["choice by data"] = (
            static m => m.Graph.Rename(m.Graph.Find("use_cache_branch")!, "flag"), ["flag"]),
    };

    public static TheoryData<string, string> Cases
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var damage in Damages.Keys)
                foreach (var verb in new[] { "inspect", "train", "eval", "generate", "merge" })
                    data.Add(damage, verb);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void EveryVerb_Refuses(string damage, string verb)
    {
        var (change, said) = Damages[damage];
        var merged = damage == "choice by data";
        var model = OnnxFile.Load(Fixtures.Graph(
            merged ? "hf442_g2l_legacymerged_op13__decoder_model_merged.onnx" : "hf442_g2l_nopast_op17.onnx"));
        change(model);
        var file = Save(model);

        Run(verb, file).Refused(2, [file, .. said]);

        Assert.False(Directory.Exists(place["left-behind"]));
    }

    [Theory]
    [InlineData("inspect")]
    [InlineData("train")]
    [InlineData("eval")]
    [InlineData("generate")]
    public void ValueThatNothingMakes(string verb)
    {
        var model = OnnxFile.Load(Fixtures.Graph("hf442_g2l_nopast_op17.onnx"));
        Last(model, "MatMul").SetInput(1, model.Graph.AddInput("ghost_a", ElementType.Float, [32, 101]));
        var file = Save(model);
        Damage.ReplaceLast(file, "ghost_a", "ghost_b");

        Run(verb, file).Refused(2, file, "MatMul \"/lm_head/MatMul\"", "'ghost_a'", "nothing makes", "opset 17");
    }

    [Theory]
    [InlineData("inspect")]
    [InlineData("train")]
    [InlineData("eval")]
    [InlineData("generate")]
    public void EmptyGraph(string verb)
    {
        var file = Save(new Model(17));

        Run(verb, file).Refused(2, verb == "train" ? "no linear layer" : file);
    }

    /// <summary>A table of eight positions, and rows of ten: ONNX Runtime's reason, and whose it is.</summary>
    [Theory]
    [InlineData("train")]
    [InlineData("eval")]
    public void GraphThatFailsOnTheRows(string verb)
    {
        var model = OnnxFile.Load(Fixtures.Graph("hf442_g2l_nopast_op17.onnx"));
        var hidden = Last(model, "LayerNormalization").Output;
        var next = hidden.Uses[0].Node;
        var g = new GraphBuilder(model.Graph, new ShapeInference(model.Opset)) { Before = next, Scope = "/rows" };
        var length = g.Gather(g.Shape(model.Graph.Find("input_ids")!), g.Int64Scalar(1));
        var places = g.Op("Range", g.Int64Scalar(0), length, g.Int64Scalar(1));
        var sum = g.Add(hidden, g.Gather(g.Constant(Tensor.Of<float>(new float[8 * 32], [8, 32])), places));
        model.Graph.ReplaceAllUsesWith(hidden, sum, sum.Producer!);
        var file = Save(model);
        Run("inspect", file).Succeeded();

        Run(verb, file, tokens: 10).Refused(1, file, "failed while ONNX Runtime ran it", "'/rows/Add'");
    }

    [Fact]
    public void NodesInAnyOrder_AreSorted()
    {
        var model = OnnxFile.Load(Fixtures.Graph("hf442_g2l_nopast_op17.onnx"));
        var expected = Run("eval", Save(model)).Succeeded();
        var first = model.Graph.Nodes[0];
        var moved = model.Graph.AddNode(
            first.OpType, [.. first.Inputs], ["moved"], [.. first.Attributes], name: first.Name + "/moved");
        model.Graph.ReplaceAllUsesWith(first.Output, moved.Output);
        model.Graph.Remove(first);

        var actual = Run("eval", Save(model)).Succeeded();

        Assert.Equal(expected.Output.Split(" in ")[0], actual.Output.Split(" in ")[0]);
    }

    private CliRun Run(string verb, string file, int tokens = 4)
    {
        var ids = string.Join(',', Enumerable.Range(1, tokens));
        var rows = place.Write($"{tokens}.jsonl", $$"""{"input_ids":[{{ids}}]}""");
        return verb switch
        {
            "inspect" => CliRun.Of("inspect", file),
            "train" => CliRun.Of("train", file, "--data", rows, "--out", place["left-behind"], "--steps", "1"),
            "eval" => CliRun.Of("eval", file, "--data", rows, "--threads", "1"),
            "merge" => CliRun.Of("merge", file, "--adapter", Adapter, "--out", place["left-behind"]),
            _ => CliRun.Of("generate", file, "--prompt", "\u0001", "--tokenizer", place.Hf, "--max-new-tokens", "1"),
        };
    }

    private string Save(Model model)
    {
        var file = place.Fresh() + ".onnx";
        OnnxFile.Save(model, file);
        return file;
    }

    private static Node First(Model model, string op) => model.Graph.Nodes.First(n => n.OpType == op);

    private static Node Last(Model model, string op) => model.Graph.Nodes.Last(n => n.OpType == op);

    private static Value[] Tensors(Model model, int count) => [.. Enumerable.Range(0, count).Select(i =>
        model.Graph.AddInitializer($"odd_{i}", Tensor.Of<float>(new float[32], [1, 1, 32])))];

    private static Value Logits(Model model) => model.Graph.Outputs[0];

    /// <summary>Makes a value the model's only output.</summary>
    private static void Output(Model model, Value value, string name = "logits")
    {
        var old = Logits(model);
        model.Graph.RemoveOutput(old);
        model.Graph.Rename(old, "old_logits");
        model.Graph.Rename(value, name);
        model.Graph.AddOutput(value);
    }

    /// <summary>Puts an operator between the last normalisation and the head.</summary>
    private static void Behind(Model model, string op, string domain, params Value[] more)
    {
        var hidden = Last(model, "LayerNormalization").Output;
        var next = hidden.Uses[0].Node;
        var odd = model.Graph.AddNode(op, [hidden, .. more], ["odd"], domain: domain, name: "/odd", before: next);
        (odd.Output.Type, odd.Output.Shape) = (ElementType.Float, hidden.Shape ?? Shape.Create([Dim.Unknown]));
        model.Graph.ReplaceAllUsesWith(hidden, odd.Output, odd);
    }
}
