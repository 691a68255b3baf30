using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Models.Building;

/// <summary>A smooth bound: c·tanh(x / c).</summary>
/// <seealso href="https://arxiv.org/abs/2408.00118">Gemma 2, section 2.</seealso>
internal static class Softcap
{
    public static Value Apply(GraphBuilder g, Value x, float cap)
    {
        var bound = g.Scalar(ElementType.Float, cap);
        return g.Mul(g.Op("Tanh", g.Div(x, bound)), bound);
    }
}
