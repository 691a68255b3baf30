using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Onnx.Shapes;

namespace OrtPeft.Onnx.Passes;

/// <summary>
/// Gives logits of all tokens the axes [batch, sequence, vocabulary] where a graph has them on one axis, [batch·sequence,
/// vocabulary], or the vocabulary before the sequence, [batch, vocabulary, sequence].
/// </summary>
internal static class LogitsAxes
{
    /// <summary>Whether a graph's logits, under Optimum's name, may have other axes: two, or the vocabulary before the last.</summary>
    public static bool MayBeOthers(Graph graph) => LogitsOf(graph) is { } logits
        && (logits.Shape!.Rank == 2 || (HeadWidth.Behind(logits) is { } width && IsTurned(logits.Shape, width)));

    /// <summary>Runs the pass in place; logits of other axes stay as they are.</summary>
    /// <param name="model">The model, of any operator set, its ids and logits under Optimum's names.</param>
    public static void Run(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var graph = model.Graph;
        if (graph.Inputs.FirstOrDefault(static i => i.Name == DecoderNames.Ids) is not { Shape: { Rank: 2 } tokens } ids
            || LogitsOf(graph) is not { } logits
            || HeadWidth.Behind(logits) is not { } width)
            return;
        Shape axes = [tokens[0], tokens[1], width];
        if (IsTurned(logits.Shape!, width))
            Replace(model, logits, axes, g => g.Transpose(logits, 0, 2, 1));
        else if (logits.Shape!.Rank == 2 && HasAllTokens(model, logits, tokens))
            Replace(model, logits, axes, g => g.Op("Reshape", logits, g.Concat(0, g.Shape(ids), g.Int64(width))));
    }

    private static Value? LogitsOf(Graph graph) =>
        graph.Outputs.FirstOrDefault(static o => o is { Name: DecoderNames.Logits, Shape.Rank: 2 or 3 });

    private static bool IsTurned(Shape shape, long width) =>
        shape.Rank == 3 && shape[1].Value == width && shape[2].Value != width;

    /// <summary>Whether the first axis is known to be the tokens of all rows, and not the rows' last tokens. What a file says
    /// of it is a name alone.</summary>
    private static bool HasAllTokens(Model model, Value logits, Shape tokens)
    {
        var inferred = model.Clone();
        var output = inferred.Graph.Find(logits.Name)!;
        output.Shape = null;
        new ShapeInference(inferred.Opset).Infer(inferred.Graph);
        return output.Shape is { Rank: 2 } flat && tokens[0].Expression is { } rows && tokens[1].Expression is { } columns
            && flat[0].SurelyEquals(Dim.Of(rows * columns));
    }

    private static void Replace(Model model, Value logits, Shape axes, Func<GraphBuilder, Value> form)
    {
        var graph = model.Graph;
        graph.Rename(logits, graph.FreshName($"{DecoderNames.Logits}_given"));
        var given = form(new GraphBuilder(graph, new ShapeInference(model.Opset)) { Scope = "/logits" });
        (given.Type, given.Shape) = (logits.Type, axes);
        graph.Rename(given, DecoderNames.Logits);
        var outputs = graph.Outputs.Select(o => o == logits ? given : o).ToArray();
        foreach (var output in graph.Outputs.ToArray())
            graph.RemoveOutput(output);
        foreach (var output in outputs)
            graph.AddOutput(output);
    }
}
