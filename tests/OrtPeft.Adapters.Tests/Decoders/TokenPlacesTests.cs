using OrtPeft.Adapters.PrefixTuning;
using OrtPeft.Adapters.Tests.PromptLearning;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Decoders;

/// <summary>A prefix moves tokens on whether their positions are fed or counted in the graph.</summary>
public sealed class TokenPlacesTests
{
    private const int Positions = 32;

    private static readonly PrefixTuningConfig Config = new() { NumVirtualTokens = 3 };

    [Fact]
    public void Shift_WhenAnglesAreCounted_MovesThemAsFedOnes()
    {
        var counted = Decoder.Open("llama");
        Count(counted);

        MustAnswerAlike(Decoder.Open("llama"), counted);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Shift_WhenTablesAreLookedUp_MovesTheLookUps(bool isCut)
    {
        var counted = Decoder.Open("llama");
        Count(counted);
        foreach (var node in counted.Graph.Nodes.Where(static n => n.Is("Sin") || n.Is("Cos")).ToArray())
            LookUp(counted, node, isCut);

        MustAnswerAlike(Decoder.Open("llama"), counted);
    }

    private static void MustAnswerAlike(Model fed, Model counted)
    {
        var batch = Decoder.Batch("right-padded");
        Assert.DoesNotContain(counted.Graph.Inputs, static i => i.Name == "position_ids");
        // The same float32 angles, but sines of them by .NET instead of ONNX Runtime.
        Near.Absolute(Decoder.Logits(fed, batch), Decoder.Logits(counted, batch), 1e-5, "base");

        var (one, other) = (PeftModel.Create(fed, Config).Model, PeftModel.Create(counted, Config).Model);

        Near.Absolute(Decoder.Logits(one, batch), Decoder.Logits(other, batch), 1e-5, "logits");
    }

    /// <summary>Positions 0, 1, 2, … in place of those fed.</summary>
    private static void Count(Model model)
    {
        var g = GraphBuilder.Over(model);
        g.Before = model.Graph.Nodes[0];
        var fed = model.Graph.Find("position_ids")!;
        var places = g.Op("Range", g.Int64Scalar(0), Length(g), g.Int64Scalar(1));
        model.Graph.ReplaceAllUsesWith(fed, g.Unsqueeze(places, 0));
        model.Graph.Remove(fed);
    }

    /// <summary>A table of all positions' sines in place of their computation; it may be cut first.</summary>
    private static void LookUp(Model model, Node node, bool isCut)
    {
        var g = GraphBuilder.Over(model);
        g.Before = node;
        var angles = node.Inputs[0]!.Producer!;
        var perToken = angles.Inputs[1]!.Initializer!.ToFloat32();
        var places = angles.Inputs[0]!.Producer!.Inputs[0]!.Producer!.Inputs[0]!;
        var function = node.Is("Sin") ? (Func<float, float>)MathF.Sin : MathF.Cos;
        var values =
            from position in Enumerable.Range(0, Positions)
            from angle in perToken
            select function(position * angle);
        var table = g.Constant(Tensor.Of<float>([.. values], [Positions, perToken.Length]), "table");
        if (isCut)
            table = g.Op("Slice", table, g.Int64(0), g.Unsqueeze(Length(g), 0), g.Int64(0));
        model.Graph.ReplaceAllUsesWith(node.Output, g.Gather(table, places));
        model.Graph.Remove(node);
    }

    private static Value Length(GraphBuilder g) => g.Gather(g.Shape(g.Graph.Find("input_ids")!), g.Int64Scalar(1));
}
