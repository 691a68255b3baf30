using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Merging;

/// <summary>Where a layer's product stands in the graph as it was given: alone, or as a part of a packed one.</summary>
/// <param name="Product">The node of the copy that multiplies by the weight.</param>
/// <param name="Module">The layer's path in the source model.</param>
/// <param name="First">The first of the product's columns that are the layer's.</param>
/// <param name="InFeatures">The features that the layer reads.</param>
/// <param name="OutFeatures">The features that the layer makes.</param>
/// <param name="Width">The product's columns, of all its parts.</param>
/// <param name="Type">The type that the product computes in.</param>
internal sealed record LoraSite(
    Node Product, string Module, int First, int InFeatures, int OutFeatures, int Width, ElementType Type)
{
    /// <summary>
    /// Adds to the product, after its bias, so that ONNX Runtime fuses product and bias as before; where the sum is only
    /// added to a residual, to that, since bias, residual and the norm after them may be fused too.
    /// </summary>
    /// <param name="model">The model that the product is of.</param>
    /// <param name="delta">From what the product reads to what is added, and where it is added.</param>
    public void Add(Model model, Func<GraphBuilder, Value, Value, Value> delta)
    {
        var graph = model.Graph;
        var g = new GraphBuilder(graph, new ShapeInference(model.Opset));
        var y = Product.Output.Uses is [{ Node: var next }] && next.Is("Add")
            && next.Inputs.Any(static i => i?.Constant is { Dims.Length: 1 })
            ? next.Output
            : Product.Output;
        g.Scope = $"/{Module}/lora";
        if (IntoResidual(y) is { } sum)
        {
            g.Before = sum.Node;
            sum.Node.SetInput(sum.Residual, g.Op("Add", sum.Node.Inputs[sum.Residual], delta(g, Product.Inputs[0]!, y)));
            return;
        }

        g.Before = graph.FirstReader(y);
        var result = g.Op("Add", y, delta(g, Product.Inputs[0]!, y));
        var (name, isResult) = (y.Name, y.IsGraphOutput);
        (result.Type, result.Shape) = (y.Type, y.Shape);
        graph.ReplaceAllUsesWith(y, result, [.. y.Uses.Select(static u => u.Node).Where(n => n.Name.StartsWith(
            g.Scope + "/", StringComparison.Ordinal))]);
        if (!isResult)
            return;
        graph.Rename(y, graph.FreshName($"{name}_base"));
        graph.Rename(result, name);
    }

    /// <summary>The sum with a residual that alone reads a value, and which of its inputs the residual is.</summary>
    private static (Node Node, int Residual)? IntoResidual(Value y)
    {
        if (y.IsGraphOutput || y.Uses is not [{ Node: var sum, Index: var index }] || !sum.Is("Add"))
            return null;
        var other = sum.Inputs[1 - index];
        var isOfSameRank = y.Shape is { } own && own.Rank == other?.Shape?.Rank && other.Constant is null;
        return isOfSameRank ? (sum, 1 - index) : null;
    }
}
