using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Onnx.Shapes;

namespace OrtPeft.Onnx.Passes;

/// <summary>
/// Gives a decoder of ids [batch, choices, sequence] and logits of four axes, such as the Model Zoo's GPT-2, ids and logits
/// of one choice: [batch, sequence] and [batch, sequence, vocabulary].
/// </summary>
internal static class ChoicesOfIds
{
    /// <summary>Whether a graph is one of these, its ids and logits under Optimum's names.</summary>
    public static bool Is(Graph graph) =>
        graph.Inputs.FirstOrDefault(static i => i.Name == DecoderNames.Ids) is { } ids && DecoderRoles.IsChoices(ids)
        && ids.Shape![1].Value is null or 1
        && Logits(graph) is { Shape: null or { Rank: 4 } };

    /// <summary>Runs the pass in place; any other graph stays as it is.</summary>
    /// <param name="model">The model, of any operator set.</param>
    public static void Run(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var graph = model.Graph;
        if (!Is(graph) || Logits(graph) is not { } logits)
            return;
        var given = graph.Inputs.First(static i => i.Name == DecoderNames.Ids);
        var g = new GraphBuilder(graph, new ShapeInference(model.Opset)) { Scope = "/choices", Before = graph.Nodes[0] };
        var (type, shape) = (given.Type, given.Shape!);
        graph.Rename(given, graph.FreshName($"{DecoderNames.Ids}_given"));
        var ids = graph.AddInput(DecoderNames.Ids, type, [shape[0], shape[2]]);
        var one = g.Op("Reshape", ids, g.Int64(0, 1, -1));
        (one.Type, one.Shape) = (type, [shape[0], 1, shape[2]]);
        graph.ReplaceAllUsesWith(given, one);
        graph.Remove(given);

        g.Before = null;
        var width = HeadWidth.Behind(logits) ?? logits.Shape?[3].Value;
        graph.Rename(logits, graph.FreshName($"{DecoderNames.Logits}_given"));
        var rows = g.Op("Reshape", logits, width is { } known
            ? g.Int64(0, -1, known)
            : g.Concat(0, g.Shape(ids), g.Int64(-1)));
        (rows.Type, rows.Shape) = (logits.Type, [shape[0], shape[2], width is { } v ? v : default(Dim)]);
        graph.Rename(rows, DecoderNames.Logits);
        var outputs = graph.Outputs.Select(o => o == logits ? rows : o).ToArray();
        foreach (var output in graph.Outputs.ToArray())
            graph.RemoveOutput(output);
        foreach (var output in outputs)
            graph.AddOutput(output);
    }

    private static Value? Logits(Graph graph) => graph.Outputs.FirstOrDefault(static o => o.Name == DecoderNames.Logits);
}
