using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Passes;

/// <summary>
/// Removes <c>Identity</c> nodes, and casts to the type that a value has already.
/// PyTorch's exporter stores parameters of equal value once and gives the others through
/// an Identity that carries their name: each gets a tensor of its own back (the bytes stay shared), so that one can
/// train and the other not. A tied embedding stays tied.
/// </summary>
internal static class IdentityRemoval
{
    private static readonly string[] ParameterEndings = [".weight", ".bias"];

    /// <summary>Runs the pass in place.</summary>
    /// <param name="model">The model.</param>
    public static void Run(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var graph = model.Graph;
        var shapes = new ShapeInference(model.Opset);
        if (graph.Nodes.Any(static n => n.Is("Cast")))
            shapes.Infer(graph);
        var builder = new GraphBuilder(graph, shapes);
        foreach (var node in graph.Nodes.Where(static n => n.Is("Identity") || IsCastToItself(n)).ToArray())
        {
            var (source, output) = (node.Inputs[0]!, node.Output);
            if (output.IsGraphOutput)
                continue;
            if (source.Constant is { } content && IsParameter(output.Name) && !IsTied(source.Name, output.Name))
                Unshare(graph, node, content);
            else
                Replacement.Put(builder, node, source);
        }
    }

    private static bool IsCastToItself(Node node) => node.Is("Cast")
        && node.Inputs[0]!.Type != ElementType.Undefined
        && node.Inputs[0]!.Type == node.Attributes.ElementType("to", default);

    private static void Unshare(Graph graph, Node node, Tensor content)
    {
        var name = node.Output.Name;
        graph.Rename(node.Output, graph.FreshName(name + "/shared"));
        graph.ReplaceAllUsesWith(node.Output, graph.AddInitializer(name, content.WithName(name)));
        graph.Remove(node);
    }

    private static bool IsParameter(string name) =>
        ParameterEndings.Any(e => name.EndsWith(e, StringComparison.Ordinal));

    /// <summary>The head and the token embedding are one parameter where their values are equal.</summary>
    private static bool IsTied(string one, string other) =>
        IsHead(one) && IsEmbedding(other) || IsHead(other) && IsEmbedding(one);

    private static bool IsHead(string name) => name.Contains(DecoderFamilies.Head, StringComparison.Ordinal);

    private static bool IsEmbedding(string name) =>
        name.EndsWith(ParameterEndings[0], StringComparison.Ordinal)
        && DecoderFamilies.IsTokenEmbedding(name[..^ParameterEndings[0].Length]);
}
