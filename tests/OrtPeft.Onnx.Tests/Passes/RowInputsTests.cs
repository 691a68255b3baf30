using System.Globalization;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Tests.Passes;

public sealed class RowInputsTests
{
    private static readonly Dim Batch = Dim.Named("batch");
    private static readonly Dim Sequence = Dim.Named("sequence");

    /// <summary>What rows bring is fed as it is, whatever whole number it is.</summary>
    [Theory]
    [InlineData(ElementType.Int64)]
    [InlineData(ElementType.Int32)]
    [InlineData(ElementType.Float)]
    public void Run_OnAUsualMask_LeavesIt(ElementType type)
    {
        var (model, mask) = Decoder("attention_mask", type, [Batch, Sequence]);

        RowInputs.Run(model);

        Assert.Contains(mask, model.Graph.Inputs);
    }

    public static TheoryData<string, ElementType, Shape> Others => new()
    {
        { "attention_mask", ElementType.Bool, [Batch, Sequence] },
        { "attention_mask", ElementType.Float, [Batch, 1, Sequence, Sequence] },
        { "attention_mask", ElementType.Bool, [Batch, 2, Sequence, Sequence] },
        { "attention_mask", ElementType.Int64, [Batch, 1, 1, Sequence] },
        { "attention_mask", ElementType.Float, [Batch, Sequence, Sequence] },
        { "attention_mask", ElementType.Bool, [Batch, 1, Sequence] },
        { "attention_mask", ElementType.Int64, [Batch, 16] },
        { "num_logits_to_keep", ElementType.Int64, Shape.Scalar },
        { "logits_to_keep", ElementType.Int32, [1] },
        { "cache_position", ElementType.Int64, [Sequence] },
        { "position_ids", ElementType.Int32, [Sequence] },
        { "past_sequence_length", ElementType.Int32, [1] },
        { "past_len", ElementType.Int64, Shape.Scalar },
        { "total_sequence_length", ElementType.Int32, Shape.Scalar },
        { "total_sequence_length", ElementType.Int64, [1] },
        { "past_key_values.0.key", ElementType.Float, [Batch, 2, 16, 4] },
        { "past.0.conv", ElementType.Float, [Batch, 8, 2] },
    };

    [Theory]
    [MemberData(nameof(Others))]
    public void Run_OnWhatRowsDoNotBring_ComputesIt(string name, ElementType type, Shape shape)
    {
        var (model, input) = Decoder(name, type, shape);

        RowInputs.Run(model);

        Assert.DoesNotContain(input, model.Graph.Inputs);
        Assert.All(model.Graph.Inputs, static i => Assert.Contains(i.Name, new[] { "input_ids", "attention_mask" }));
        var reader = model.Graph.Nodes.Single(static n => n.Name == "reader");
        new ShapeInference(21).Infer(model.Graph);
        Assert.Equal((type, shape.Rank), (reader.Inputs[0]!.Type, reader.Inputs[0]!.Shape!.Rank));
    }

    /// <summary>Numbers for pairs of tokens are added to scores, 0 being seen, unless the graph reads 1 as seen.</summary>
    [Theory]
    [InlineData("Add mask 1", true)]
    [InlineData("Sub 1 mask", false)]
    [InlineData("Sub mask 1", false)]
    [InlineData("Cast mask", false)]
    [InlineData("Greater mask 0.5", false)]
    [InlineData("Greater 0.5 mask", false)]
    [InlineData("Greater mask 0", false)]
    [InlineData("GreaterOrEqual mask 0", true)]
    [InlineData("GreaterOrEqual mask 1", false)]
    [InlineData("Less mask 0", true)]
    [InlineData("Less 0 mask", false)]
    [InlineData("LessOrEqual mask 0", false)]
    [InlineData("Equal mask 0", true)]
    [InlineData("Equal 1 mask", false)]
    [InlineData("Greater mask -1", true)]
    [InlineData("Mul mask scores", false)]
    [InlineData("Mul scores mask", false)]
    [InlineData("Mul mask 2", true)]
    [InlineData("Div mask 2", true)]
    public void IsAdded_ByTheReader_SaysWhatANumberMeans(string reader, bool isAdded)
    {
        var (_, mask) = ReadBy(reader);

        Assert.Equal(isAdded, RowInputs.IsAdded(mask));
    }

    /// <summary>What a scale gives is read on.</summary>
    [Fact]
    public void IsAdded_OfAScaledMaskThatIsCompared_SaysWhatTheComparisonWants()
    {
        var (model, mask) = ReadBy("Mul mask 2");
        var half = model.Graph.AddInitializer("half", Tensor.Scalar(0.5f));
        model.Graph.AddNode("Greater", [model.Graph.Find("read")!, half], ["seen"]);

        Assert.False(RowInputs.IsAdded(mask));
    }

    /// <summary>0 is seen in numbers that are added, and hidden where it is filled with the lowest score.</summary>
    [Theory]
    [InlineData("Cast", true)]
    [InlineData("Not", false)]
    [InlineData("Where lowest", false)]
    [InlineData("Where scores", true)]
    public void IsAdded_OfAMaskThatIsComparedWithZero_GoesByWhatIsMadeOfIt(string reader, bool isAdded)
    {
        var (model, mask) = ReadBy("Equal mask 0");
        var graph = model.Graph;
        var zero = graph.AddNode("Expand", [graph.Find("read")!, graph.AddInitializer("shape", Tensor.Of<long>([1], [1]))], ["expanded"]).Output;
        var scores = graph.AddInput("scores", ElementType.Float, mask.Shape);
        var lowest = graph.AddInitializer("lowest", Tensor.Scalar(float.MinValue));
        graph.AddNode(reader.Split(' ')[0], reader switch
        {
            "Where lowest" => [zero, lowest, scores],
            "Where scores" => [zero, scores, lowest],
            _ => [zero],
        }, ["used"]);

        Assert.Equal(isAdded, RowInputs.IsAdded(mask));
    }

    /// <summary>1 where a token is hidden is neither of both.</summary>
    [Theory]
    [InlineData("Mul mask -10000")]
    [InlineData("Div mask -0.0001")]
    public void IsAdded_OfAMaskTimesANegativeNumber_IsRefusedByName(string reader)
    {
        var (_, mask) = ReadBy(reader);

        var error = Assert.Throws<GraphException>(() => RowInputs.IsAdded(mask));

        Assert.Contains("'attention_mask' by -10000", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("token_type_ids", ElementType.Int64)]
    [InlineData("encoder_hidden_states", ElementType.Float)]
    [InlineData("temperature", ElementType.Float)]
    [InlineData("past_sequence_length", ElementType.Int64)] // of each row
    public void Run_OnWhatHasNoNeutralValue_LeavesIt(string name, ElementType type)
    {
        var (model, input) = Decoder(name, type, [Batch, Sequence]);

        RowInputs.Run(model);

        Assert.Contains(input, model.Graph.Inputs);
    }

    [Fact]
    public void Run_OnWhatNothingReads_DropsIt()
    {
        var (model, input) = Decoder("temperature", ElementType.Float, [Batch]);
        model.Graph.RemoveOutput(model.Graph.Outputs[1]);
        model.Graph.Remove(model.Graph.Nodes.Single(static n => n.Name == "reader"));

        RowInputs.Run(model);

        Assert.DoesNotContain(input, model.Graph.Inputs);
    }

    /// <summary>A slice of a mask of four axes, read by an operator, its inputs <c>mask</c>, <c>scores</c> and numbers.</summary>
    private static (Model Model, Value Mask) ReadBy(string reader)
    {
        var (model, mask) = Decoder("attention_mask", ElementType.Float, [Batch, 1, Sequence, Sequence]);
        var part = model.Graph.AddNode("Slice", [mask], ["part"]).Output;
        part.Type = ElementType.Float;
        var words = reader.Split(' ');
        var inputs = words.Skip(1).Select(word => word switch
        {
            "mask" => part,
            "scores" => model.Graph.AddInput("scores", ElementType.Float, mask.Shape),
            _ => model.Graph.AddInitializer(word, Tensor.Scalar(float.Parse(word, CultureInfo.InvariantCulture))),
        });
        var read = model.Graph.AddNode(words[0], [.. inputs], ["read"]).Output;
        read.Type = words[0] is "Add" or "Sub" or "Mul" or "Div" ? ElementType.Float : ElementType.Bool;
        return (model, mask);
    }

    private static (Model Model, Value Input) Decoder(string name, ElementType type, Shape shape)
    {
        var model = new Model(21);
        var ids = model.Graph.AddInput("input_ids", ElementType.Int64, [Batch, Sequence]);
        var input = model.Graph.AddInput(name, type, shape);
        model.Graph.AddOutput(model.Graph.AddNode("Identity", [ids], ["y"]).Output);
        model.Graph.AddOutput(model.Graph.AddNode("Identity", [input], ["z"], name: "reader").Output);
        return (model, input);
    }
}
