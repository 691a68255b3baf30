using OrtPeft.Kernels.Layouts;
using OrtPeft.Kernels.Operators;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Kernels.Products;

/// <summary>
/// Products with constant matrices by OrtPeft's own kernel, which reads one packed copy forwards and backwards; LoRA's
/// products are part of them.
/// </summary>
public static class PackedProducts
{
    /// <summary>Runs the rewrite in place.</summary>
    /// <param name="g">Adds nodes to the graph.</param>
    /// <param name="inBf16">Whether products are in bfloat16; else in float32.</param>
    public static void Run(GraphBuilder g, bool inBf16)
    {
        ArgumentNullException.ThrowIfNull(g);
        var products = g.Graph.Nodes.Select(LinearProduct.OfAny).OfType<LinearProduct>();
        foreach (var ofWeight in products.GroupBy(static p => p.Weight).ToArray())
        {
            // The graph's first product is the forward one, which reads the panels as they are.
            var rowAxis = ofWeight.First().RowAxis;
            if (ofWeight.All(p => p.IsReadBy(rowAxis)))
                Replace(g, ofWeight.Key, [.. ofWeight], inBf16);
        }

        FusedOps.Lower(g, static n => !LowRankLinear.Forward.Is(n) && !LowRankLinear.Backward.Is(n));
    }

    /// <summary>A model whose products with quantised weights read the codes; their other readers get the numbers as
    /// before.</summary>
    /// <param name="model">The model; not changed.</param>
    /// <returns>A copy that shares its weights, or the model itself where nothing of it is quantised.</returns>
    public static Model ReadingCodes(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (!Quantized(model.Graph).Any())
            return model;
        var copy = model.Clone();
        var g = GraphBuilder.Over(copy);
        foreach (var ofWeight in Quantized(copy.Graph).GroupBy(static p => p.Weight).ToArray())
            Replace(g, ofWeight.Key, [.. ofWeight], inBf16: false);
        copy.Graph.RemoveDeadCode();
        copy.Opsets[FusedOp.Domain] = 1;
        return copy;
    }

    private static IEnumerable<LinearProduct> Quantized(Graph graph) => graph.Nodes
        .Select(LinearProduct.OfStandard).OfType<LinearProduct>().Where(static p => p.Weight.Initializer is null);

    private static void Replace(GraphBuilder g, Value weight, LinearProduct[] products, bool inBf16)
    {
        var rowAxis = products[0].RowAxis;
        if (Pack(weight, isTransposed: rowAxis == 1, inBf16) is not { } panels)
            return;
        (g.Before, g.Scope) = (products[0].Node, products[0].Node.Name);
        var packed = g.Constant(panels, $"{weight.Name}.packed");
        var dims = g.Int64(products[0].Rows, products[0].Columns);
        foreach (var product in products)
        {
            if (LowRankLinear.Forward.Is(product.Node))
                ReplaceLora(g, product.Node, packed, dims);
            else if (LowRankLinear.Backward.Is(product.Node))
                ReplaceLoraGradient(g, product.Node, packed, dims);
            else
                Replace(g, product.Node, product.RowAxis != rowAxis, packed, dims);
        }
    }

    /// <summary>The matrix in panels; null for one in few bits whose blocks do not run along the sums.</summary>
    private static Tensor? Pack(Value weight, bool isTransposed, bool inBf16)
    {
        if (QuantizedWeight.Find(weight) is { Content: var content })
            return PackedCodes.CanPack(content, isTransposed) ? PackedCodes.Pack(content, isTransposed, inBf16) : null;
        var packed = inBf16
            ? PackedBf16.Pack(weight.Initializer!, isTransposed)
            : PackedMatrix.Pack(weight.Initializer!, isTransposed);
        (weight.Initializer!.Data as MappedTensorData)?.File.ReleasePages();
        return packed;
    }

    private static void Replace(GraphBuilder g, Node node, bool isTransposed, Value packed, Value dims)
    {
        var hasBias = node.Input(2) is not null && !isTransposed;
        Value?[] inputs = [node.Inputs[0], packed, dims, .. hasBias ? node.Inputs.Skip(2) : []];
        var op = isTransposed ? PackedMatMul.Transposed : PackedMatMul.Forward;
        var result = op.Apply(g, node, inputs, node.Output)[0];
        if (node.Input(2) is { } bias && !hasBias)
            result = g.Add(result, bias);
        Replacement.Put(g, node, result);
    }

    private static void ReplaceLora(GraphBuilder g, Node node, Value packed, Value dims)
    {
        (g.Before, g.Scope) = (node, node.Name);
        var alpha = g.Scalar(ElementType.Float, LowRankLinear.Alpha(node));
        var results = PackedMatMul.Lora.Apply(
            g, [node.Inputs[0], packed, dims, node.Inputs[2], node.Inputs[3], alpha, node.Input(4), null, node.Input(5)]);
        results[1].Shape = node.Outputs[1].Shape;
        Replacement.Put(g, node, results);
    }

    private static void ReplaceLoraGradient(GraphBuilder g, Node node, Value packed, Value dims)
    {
        (g.Before, g.Scope) = (node, node.Name);
        var alpha = g.Scalar(ElementType.Float, LowRankLinear.Alpha(node));
        var results = PackedMatMul.LoraGrad.Apply(
            g, [node.Inputs[0], packed, dims, node.Inputs[3], node.Input(4), node.Inputs[5], alpha]);
        Replacement.Put(g, node, results);
    }
}
