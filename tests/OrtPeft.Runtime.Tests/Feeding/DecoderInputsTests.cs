using OrtPeft.Inference.Tests;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Runtime.Feeding;
using OrtPeft.Tensors;

namespace OrtPeft.Runtime.Tests.Feeding;

public sealed class DecoderInputsTests
{
    [Fact]
    public void Feed_WithoutAPast_FillsWhatTheGraphHas()
    {
        var inputs = DecoderInputs.Of(Fixture.Load(Fixture.Past).Graph);

        using var feeds = inputs.Feed([1, 2, 3, 4, 5, 6], rows: 2);

        Assert.Equal([1, 2, 3, 4, 5, 6], Numbers<long>(feeds, "input_ids"));
        Assert.Equal([1, 1, 1, 1, 1, 1], Numbers<long>(feeds, "attention_mask"));
        Assert.Equal([0, 1, 2, 0, 1, 2], Numbers<long>(feeds, "position_ids"));
        Assert.Equal([2, 4, 0, 8], Dims(feeds, "past_key_values.1.value"));
        Assert.Equal(7, feeds.Values.Count);
    }

    [Fact]
    public void Feed_WithAPast_ContinuesIt()
    {
        var inputs = DecoderInputs.Of(Fixture.Load(Fixture.Past).Graph);

        using var feeds = inputs.Feed([1, 2], pastLength: 3);

        Assert.Equal([1, 5], Dims(feeds, "attention_mask"));
        Assert.Equal([3, 4], Numbers<long>(feeds, "position_ids"));
        Assert.Equal(3, feeds.Values.Count);
    }

    [Fact]
    public void Feed_WithMaskAndPositions_TakesThem()
    {
        var inputs = DecoderInputs.Of(Fixture.Load(Fixture.StackedPast).Graph);

        using var feeds = inputs.Feed([7, 8, 9, 7], rows: 2, mask: [0, 1, 1, 1], positions: [0, 0, 0, 1]);

        Assert.Equal([0f, 1f, 1f, 1f], Numbers<float>(feeds, "attention_mask"));
        Assert.Equal([0, 0, 0, 1], Numbers<long>(feeds, "position_ids"));
        Assert.Equal([2, 2, 4, 0, 8], Dims(feeds, "past_0"));
    }

    /// <summary>A row of padding and two tokens: which keys each query sees.</summary>
    [Fact]
    public void Feed_OfAMaskOfThreeAxes_SaysWhatEachQuerySees()
    {
        var graph = new Graph("g");
        graph.AddInput("input_ids", ElementType.Int64, [Dim.Named("b"), Dim.Named("s")]);
        graph.AddInput("attention_mask", ElementType.Bool, [Dim.Named("b"), Dim.Named("s"), Dim.Named("t")]);

        using var feeds = DecoderInputs.Of(graph).Feed([7, 8, 9], mask: [0, 1, 1]);

        Assert.Equal([1, 3, 3], Dims(feeds, "attention_mask"));
        Assert.Equal([true, false, false, false, true, false, false, true, true], Numbers<bool>(feeds, "attention_mask"));
    }

    [Fact]
    public void Feed_WithArraysOfOtherLengths_Throws()
    {
        var inputs = DecoderInputs.Of(Fixture.Load(Fixture.NoPast).Graph);

        Assert.ThrowsAny<ArgumentException>(() => inputs.Feed([]));
        Assert.ThrowsAny<ArgumentException>(() => inputs.Feed([1, 2, 3], rows: 2));
        Assert.ThrowsAny<ArgumentException>(() => inputs.Feed([1, 2, 3], mask: [1, 1]));
        Assert.ThrowsAny<ArgumentException>(() => inputs.Feed([1, 2, 3], positions: [0]));
    }

    [Fact]
    public void Of_WithAnUnknownInput_NamesItUnlessTheCallerFeedsIt()
    {
        var graph = Fixture.Load(Fixture.NoPast).Graph;
        var types = graph.AddInput("token_types", ElementType.Bool, [1]);
        Assert.NotNull(DecoderInputs.Of(graph)); // nothing reads it yet
        graph.AddNode("Not", [types], ["others"]);

        var error = Assert.Throws<GraphException>(() => DecoderInputs.Of(graph));

        Assert.Contains("token_types: Bool[1]", error.Message, StringComparison.Ordinal);
        Assert.Contains("input_ids, attention_mask, position_ids", error.Message, StringComparison.Ordinal);
        Assert.Empty(DecoderInputs.Of(graph, new HashSet<string> { "token_types" }).Pasts);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(3, true)]
    public void Feed_OfAMergedDecoder_ChoosesTheBranchByThePast(int pastLength, bool expected)
    {
        var inputs = DecoderInputs.Of(Fixture.Load(Fixture.Merged).Graph);

        using var feeds = inputs.Feed([1, 2], pastLength: pastLength);

        var fed = feeds.Values[DecoderInputs.Switch];
        Assert.Equal([1], fed.GetTensorTypeAndShape().Shape);
        Assert.Equal(expected, fed.GetTensorDataAsSpan<bool>()[0]);
    }

    [Fact]
    public void Of_WithACacheOfUnknownWidth_NamesTheAxis()
    {
        var graph = Fixture.Load(Fixture.Past).Graph;
        graph.Find("past_key_values.0.key")!.Shape = [default, 4, default, default];

        var error = Assert.Throws<GraphException>(() => DecoderInputs.Of(graph));

        Assert.Contains("axis 3 of cache input past_key_values.0.key", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_WithoutIds_NamesThem()
    {
        var error = Assert.Throws<GraphException>(() => DecoderInputs.Of(new Model(17).Graph));

        Assert.Contains("no input 'input_ids'", error.Message, StringComparison.Ordinal);
    }

    private static T[] Numbers<T>(DecoderFeeds feeds, string input)
        where T : unmanaged => feeds.Values[input].GetTensorDataAsSpan<T>().ToArray();

    private static long[] Dims(DecoderFeeds feeds, string input) => feeds.Values[input].GetTensorTypeAndShape().Shape;
}
