using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Tests.Llama;

/// <summary>
/// A Llama as PyTorch's exporter writes its linear layers: <c>MatMul</c> with a weight that it has transposed to
/// <c>[in, out]</c> and numbered (<c>onnx::MatMul_1234</c>), a bias added, and only nodes named after modules.
/// </summary>
internal static class TorchNames
{
    public static Model Of(Model model)
    {
        var copy = model.Clone();
        var g = new GraphBuilder(copy.Graph, new ShapeInference(copy.Opset));
        foreach (var (number, gemm) in copy.Graph.Nodes.Where(static n => n.Is("Gemm")).ToArray().Index())
            Replace(g, gemm, $"onnx::MatMul_{1234 + number}");
        copy.Graph.RemoveDeadCode();
        return copy;
    }

    private static void Replace(GraphBuilder g, Node gemm, string weightName)
    {
        var scope = gemm.Name[..^"/Gemm".Length];
        var weight = g.Graph.AddInitializer(weightName, Transposed(gemm.Inputs[1]!.Initializer!));
        (g.Before, g.Scope) = (gemm, scope);
        var y = g.MatMul(gemm.Inputs[0]!, weight);
        if (gemm.Input(2) is { } bias)
            y = g.Add(bias, y);
        g.Graph.ReplaceAllUsesWith(gemm.Output, y);
        g.Graph.Remove(gemm);
        g.Before = null;
    }

    private static Tensor Transposed(Tensor matrix)
    {
        var (rows, columns) = ((int)matrix.Dims[0], (int)matrix.Dims[1]);
        var values = matrix.ToFloat32();
        var turned = Enumerable.Range(0, values.Length).Select(i => values[(i % rows * columns) + (i / rows)]);
        return Tensor.Of<float>([.. turned], [columns, rows]);
    }
}
