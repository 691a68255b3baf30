using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Onnx.Passes;

/// <summary>
/// Puts products together that ONNX Runtime GenAI's builder took apart: where HF has one layer, such as Phi-3's
/// <c>gate_up_proj</c>, the builder's graph has a product for each part. They become one product with the parts' columns
/// side by side, whose result is split, so that it is a module under HF's name.
/// </summary>
internal static class JoinedProjections
{
    /// <summary>Runs the pass in place.</summary>
    /// <param name="model">The model, its quantised weights read by <c>DequantizeLinear</c>.</param>
    public static void Run(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var graph = model.Graph;
        if (BuilderNames.Of(graph) is not { } names)
            return;
        var parts = graph.Nodes.Select(n => Part.Of(n, names)).OfType<Part>().ToList();
        GraphBuilder? g = null;
        foreach (var ofBlock in parts.GroupBy(static p => (p.Block, p.Packed)))
        {
            var layer = BuilderNames.PackedLayers.First(l => l.Packed == ofBlock.Key.Packed);
            Part?[] ordered = [.. layer.Parts.Select(name => ofBlock.FirstOrDefault(p => p.Name == name))];
            if (ofBlock.Count() == ordered.Length && !ordered.Contains(null) && CanBeJoined(ordered!))
                Join(g ??= GraphBuilder.Over(model), names.ToHf(ofBlock.Key.Block + layer.Packed), ordered!);
        }

        if (g is not null)
            graph.RemoveDeadCode();
    }

    private static bool CanBeJoined(Part[] parts)
    {
        var first = parts[0];
        if (parts.Any(p => p.Product.Input(0) != first.Product.Input(0) || p.Bias is null != first.Bias is null))
            return false;
        var few = parts.Select(static p => QuantizedWeight.Find(p.Weight)?.Content).OfType<QuantizedTensor>().ToList();
        return few.Count == 0
            ? parts.All(p => p.Weight.Initializer!.Dims[0] == first.Weight.Initializer!.Dims[0])
            : few.Count == parts.Length && QuantizedTensor.CanBeJoined(few);
    }

    private static void Join(GraphBuilder g, string path, Part[] parts)
    {
        var (graph, first) = (g.Graph, g.Graph.Nodes.First(n => parts.Any(p => p.Product == n)));
        var name = graph.FreshName($"{path}.weight");
        var weight = QuantizedWeight.Find(parts[0].Weight) is null
            ? graph.AddInitializer(name, Joined(parts.Select(static p => p.Weight)))
            : QuantizedWeight.Insert(
                g, name, QuantizedTensor.Joined([.. parts.Select(static p => QuantizedWeight.Find(p.Weight)!.Content)]));
        (g.Before, g.Scope) = (first, $"/{path}");
        var whole = g.MatMul(parts[0].Product.Inputs[0]!, weight);
        if (parts[0].Bias is not null)
        {
            whole = g.Add(whole, graph.AddInitializer(
                graph.FreshName($"{path}.bias"), Joined(parts.Select(static p => p.Bias!))));
        }

        var results = g.Split(whole, -1, [.. parts.Select(static p => ConstantWeight.DimsOf(p.Weight)!.Value[1])]);
        foreach (var (part, result) in parts.Zip(results))
            Replacement.Replace(g, part.Result, result);
        g.Before = null;
    }

    private static Tensors.Tensor Joined(IEnumerable<Value> constants) =>
        new JoinedColumnsTensorData([.. constants.Select(static c => c.Initializer!)]).ToTensor();

    /// <summary>A product that HF has as a part of another.</summary>
    /// <param name="Block">The path of what holds the layer, with a dot at its end.</param>
    /// <param name="Packed">HF's name of the layer.</param>
    /// <param name="Name">The part's.</param>
    /// <param name="Product">The product.</param>
    /// <param name="Weight">What it multiplies by, [in, out].</param>
    /// <param name="Bias">What is added to it, or null.</param>
    /// <param name="Result">The product, or its sum with the bias.</param>
    private sealed record Part(
        string Block, string Packed, string Name, Node Product, Value Weight, Value? Bias, Value Result)
    {
        public static Part? Of(Node node, BuilderNames names)
        {
            if (!node.Is("MatMul") || PackedProjections.ModuleOf(node, names) is not { } path
                || node.Input(1) is not { } weight || ConstantWeight.DimsOf(weight) is not [_, var width])
                return null;
            var end = path.LastIndexOf('.') + 1;
            var name = path[end..];
            var packed = BuilderNames.PackedLayers.FirstOrDefault(l => l.Parts.Contains(name)).Packed;
            if (packed is null || !names.IsPackedInHf(packed))
                return null;
            var (bias, result) = PackedProjections.BiasOf(node, width);
            return new Part(path[..end], packed, name, node, weight, bias, result);
        }
    }
}
