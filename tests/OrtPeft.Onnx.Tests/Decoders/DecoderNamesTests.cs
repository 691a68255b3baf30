using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Tests.Decoders;

public sealed class DecoderNamesTests
{
    private const int Width = 4;
    private const int Vocabulary = 6;

    private static readonly Shape Cube = Shape.Of([1, 2, 3]);

    [Fact]
    public void Run_OnANamedOutput_PutsItFirst() =>
        Assert.Equal(["logits", "a", "b"], Order(("a", Cube), ("logits", Cube), ("b", Cube)));

    [Fact]
    public void Run_BehindAScalarLoss_PutsTheLastOutputOfThreeAxesFirst() =>
        Assert.Equal(["y", "loss", "x"], Order(("loss", Shape.Scalar), ("x", Shape.Of([2])), ("y", Cube)));

    [Fact]
    public void Run_WhenNothingTellsTheLogits_KeepsNamesAndOrder() =>
        Assert.Equal(["a", "b"], Order(("a", Cube), ("b", Cube)));

    [Theory]
    [InlineData("idx", "output")]
    [InlineData("input1", "linear_14")]
    [InlineData("tokens", "mul_977")]
    public void Run_WhenNamesAreTheExporters_GivesOptimums(string ids, string logits)
    {
        var model = Decoder(ids, "mask", "positions", logits);

        DecoderNaming.Run(model);

        Assert.Equal(
            ["input_ids", "attention_mask", "position_ids"], model.Graph.Inputs.Select(static i => i.Name));
        Assert.Equal(["logits", "hidden"], model.Graph.Outputs.Select(static o => o.Name));
        Assert.Equal((ids, logits), (model.OriginalNames["input_ids"], model.OriginalNames["logits"]));
    }

    /// <summary>Kinds of tokens look a table up too, and are no places.</summary>
    [Theory]
    [InlineData("token_type_ids")]
    [InlineData("segments")]
    public void Run_WhenKindsOfTokensAreLookedUp_LeavesThem(string kinds)
    {
        var model = Decoder("idx", "mask", kinds, "out");

        DecoderNaming.Run(model);

        Assert.Equal(["input_ids", "attention_mask", kinds], model.Graph.Inputs.Select(static i => i.Name));
    }

    /// <summary>Hidden states stand first, and their width is a product's too.</summary>
    [Fact]
    public void Run_WhenHiddenStatesComeFirst_PutsTheVocabularyFirst()
    {
        var model = Decoder("input_ids", "attention_mask", "position_ids", "scores");

        DecoderNaming.Run(model);

        Assert.Equal("logits", model.Graph.Outputs[0].Name);
        Assert.Equal(Vocabulary, model.Graph.Outputs[0].Shape![2].Value);
    }

    [Fact]
    public void Run_WhenAnInnerValueHasTheName_RenamesThatOne()
    {
        var model = Decoder("idx", "mask", "positions", "out");
        model.Graph.Rename(model.Graph.Find("hidden")!.Producer!.Inputs[0]!, "logits");

        DecoderNaming.Run(model);

        Assert.Same(model.Graph.Outputs[0], model.Graph.Find("logits"));
    }

    /// <summary>Two heads over the vocabulary: nothing says which is meant.</summary>
    [Fact]
    public void Run_WhenTwoHeadsFit_KeepsNamesAndOrder()
    {
        var model = Decoder("idx", "mask", "positions", "first");
        var g = GraphBuilder.Over(model);
        var second = g.MatMul(model.Graph.Find("hidden")!, Matrix(g, "second_head", Width, Vocabulary));
        model.Graph.AddOutput(second);
        var names = model.Graph.Outputs.Select(static o => o.Name).ToArray();

        DecoderNaming.Run(model);

        Assert.Equal(names, model.Graph.Outputs.Select(static o => o.Name));
        Assert.Empty(model.OriginalNames);
    }

    [Fact]
    public void Run_WhenAxesAreNotStated_StatesThem()
    {
        var model = Decoder("idx", "mask", "positions", "out");
        foreach (var input in model.Graph.Inputs)
            input.Shape = null;

        DecoderNaming.Run(model);

        Assert.All(model.Graph.Inputs, static i => Assert.Equal("[batch, sequence]", i.Shape!.ToString()));
    }

    [Fact]
    public void Restore_GivesTheOldNamesBack()
    {
        var model = Decoder("idx", "mask", "positions", "out");
        DecoderNaming.Run(model);

        DecoderNaming.Restore(model);

        Assert.Equal(["idx", "mask", "positions"], model.Graph.Inputs.Select(static i => i.Name));
        Assert.Equal("out", model.Graph.Outputs[0].Name);
    }

    /// <summary>A person's word counts before names, and two inputs may have each other's.</summary>
    [Fact]
    public void Run_WithNamesOfAPerson_TakesThese_AndRestoreGivesTheOldOnesBack()
    {
        var model = Decoder("input_ids", "position_ids", "attention_mask", "out");
        var (mask, positions) = (model.Graph.Inputs[1], model.Graph.Inputs[2]);
        model.Metadata[MetadataKeys.ValueNames] =
            """{"attention_mask":"position_ids","position_ids":"attention_mask","logits":"hidden"}""";

        DecoderNaming.Run(model);
        DecoderNaming.Run(model);
        var named = DecoderNaming.Named(model);
        var found = (mask.Name, positions.Name, model.Graph.Outputs[0].Name);
        DecoderNaming.Restore(model);

        Assert.Equal(("attention_mask", "position_ids", "logits"), found);
        Assert.Same(model, named);
        Assert.Equal(["input_ids", "position_ids", "attention_mask"], model.Graph.Inputs.Select(static i => i.Name));
        Assert.Equal(["hidden", "out"], model.Graph.Outputs.Select(static o => o.Name).Order());
        Assert.Equal(
            ["input_ids", "attention_mask", "position_ids"],
            DecoderNaming.Named(model).Graph.Inputs.Select(static i => i.Name));
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("""{"logits":null}""")]
    [InlineData("""{"logits":1}""")]
    public void Run_WithDamagedNames_SaysWhereTheyAre(string text)
    {
        var model = Decoder("idx", "mask", "positions", "out");
        model.Metadata[MetadataKeys.ValueNames] = text;

        var error = Assert.Throws<GraphException>(() => DecoderNaming.Run(model));

        Assert.Contains(MetadataKeys.ValueNames, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Named_LeavesTheModelAndNamesACopy()
    {
        var model = Decoder("idx", "mask", "positions", "out");

        var named = DecoderNaming.Named(model);

        Assert.Equal(["idx", "mask", "positions"], model.Graph.Inputs.Select(static i => i.Name));
        Assert.Equal(
            ["input_ids", "attention_mask", "position_ids"], named.Graph.Inputs.Select(static i => i.Name));
        Assert.Equal(["hidden", "logits"], named.Graph.Outputs.Select(static o => o.Name));
        Assert.Same(named, DecoderNaming.Named(named));
    }

    /// <summary>Builders give the width of a cache a name; the attention that reads it knows it.</summary>
    [Fact]
    public void Named_WhenACachesAxesHaveNames_StatesWhatItsReaderKnows()
    {
        var model = GroupQueryDecoder();

        var named = DecoderNaming.Named(model);

        Assert.Equal("[b, 1, past, 4]", named.Graph.Find("past_key_values.0.key")!.Shape!.ToString());
        Assert.Equal("[b, 1, past, 4]", named.Graph.Find("past_key_values.0.value")!.Shape!.ToString());
        Assert.Equal("[b, heads, past, width]", model.Graph.Find("past_key_values.0.key")!.Shape!.ToString());
    }

    /// <summary>Two query heads of width 4 that share a key head, packed.</summary>
    private static Model GroupQueryDecoder()
    {
        var model = new Model(opset: 21);
        model.Opsets["com.microsoft"] = 1;
        var g = new GraphBuilder(model.Graph, new ShapeInference(21));
        var ids = model.Graph.AddInput("input_ids", ElementType.Int64, [Dim.Named("b"), Dim.Named("s")]);
        var packed = g.MatMul(g.Gather(Matrix(g, "embedding", Vocabulary, Width), ids), Matrix(g, "qkv", Width, 16));
        var past = Cache("key");
        var pastValues = Cache("value");
        var lengths = g.Constant(Tensor.Vector(0), "seqlens_k");
        var total = g.Constant(Tensor.Scalar(1), "total_sequence_length");
        NodeAttribute[] heads = [NodeAttribute.Of("num_heads", 2L), NodeAttribute.Of("kv_num_heads", 1L)];
        var attention = model.Graph.AddNode(
            "GroupQueryAttention",
            [packed, null, null, past, pastValues, lengths, total],
            ["context", "present.0.key", "present.0.value"],
            heads,
            "com.microsoft");
        var logits = g.MatMul(attention.Output, Matrix(g, "head", 8, Vocabulary));
        model.Graph.Rename(logits, "logits");
        foreach (var output in (Value[])[logits, attention.Outputs[1], attention.Outputs[2]])
            model.Graph.AddOutput(output);
        return model;

        Value Cache(string kind) => model.Graph.AddInput(
            $"past_key_values.0.{kind}",
            ElementType.Float,
            [Dim.Named("b"), Dim.Named("heads"), Dim.Named("past"), Dim.Named("width")]);
    }

    /// <summary>Embedding, positions, a mask's scale, a residual block and a head; hidden states first.</summary>
    private static Model Decoder(string ids, string mask, string positions, string logits)
    {
        var model = new Model(opset: 21);
        var g = new GraphBuilder(model.Graph, new ShapeInference(21));
        Shape rows = [Dim.Named("b"), Dim.Named("s")];
        var tokens = model.Graph.AddInput(ids, ElementType.Int64, rows);
        var counts = model.Graph.AddInput(mask, ElementType.Int64, rows);
        var places = model.Graph.AddInput(positions, ElementType.Int64, rows);
        var x = g.Add(
            g.Gather(Matrix(g, "embedding", Vocabulary, Width), tokens),
            g.Gather(Matrix(g, "places", 8, Width), places));
        x = g.Mul(x, g.Cast(g.Unsqueeze(counts, 2), ElementType.Float));
        var hidden = g.Add(x, g.MatMul(g.Op("Relu", x), Matrix(g, "block", Width, Width)));
        var y = g.MatMul(hidden, Matrix(g, "head", Width, Vocabulary));
        model.Graph.Rename(hidden, "hidden");
        model.Graph.Rename(y, logits);
        model.Graph.AddOutput(hidden);
        model.Graph.AddOutput(y);
        return model;
    }

    private static Value Matrix(GraphBuilder g, string name, int rows, int columns) =>
        g.Graph.AddInitializer(name, Tensor.Of<float>(new float[rows * columns], [rows, columns]));

    private static IEnumerable<string> Order(params (string Name, Shape Shape)[] outputs)
    {
        var model = new Model(21);
        var x = model.Graph.AddInput("x0", ElementType.Float, [1]);
        foreach (var (name, shape) in outputs)
        {
            var output = model.Graph.AddNode("Identity", [x], [name]).Output;
            (output.Type, output.Shape) = (ElementType.Float, shape);
            model.Graph.AddOutput(output);
        }

        DecoderNaming.Run(model);
        DecoderNaming.Run(model);

        return model.Graph.Outputs.Select(static o => o.Name);
    }
}
