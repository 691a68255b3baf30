using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Quantization;

namespace OrtPeft.Onnx.Passes.Contrib;

/// <summary>
/// <c>MatMulBnb4</c> as a product with a matrix: NF4 stays in 4 bits where blocks lie within rows, and other weights become
/// float32.
/// </summary>
internal static class Bnb4Product
{
    private const string Mark = "_Bnb4";

    public static Value Of(Node node, GraphBuilder g)
    {
        if (Bnb4Form.Of(node) is not { } form)
            throw ContribOps.Refusal(node, "such a weight or transB");
        var packed = form.Packed.Name;
        var name = g.Graph.FreshName(packed.EndsWith(Mark, StringComparison.Ordinal) ? packed[..^Mark.Length] : packed + "/unpacked");
        var weight = form.Codes() is { } codes
            ? QuantizedWeight.Insert(g, name, codes)
            : g.Graph.AddInitializer(name, form.ToFloat32());
        (g.Before, g.Scope) = (node, NodeScope.OrName(node.Name));
        return g.MatMul(node.Inputs[0]!, g.Transpose(weight, 1, 0));
    }
}
