using OrtPeft.Onnx.Building;

namespace OrtPeft.Onnx.Passes.Contrib;

/// <summary><c>Gemm</c> with the activation after it.</summary>
internal static class FusedGemm
{
    private static readonly string[] OfGemm = ["alpha", "beta", "transA", "transB"];

    public static Value Of(Node node, GraphBuilder g)
    {
        var product = g.Op("Gemm", [.. node.Inputs], [.. node.Attributes.Where(static a => OfGemm.Contains(a.Name))]);
        return node.Attributes.String("activation", "") switch
        {
            "Relu" or "Tanh" or "Sigmoid" or "Softplus" or "Softsign" => g.Op(node.Attributes.String("activation", ""), product),
            "LeakyRelu" => g.Op("LeakyRelu", [product], Alpha(node, 0.01f)),
            "Elu" => g.Op("Elu", [product], Alpha(node, 1)),
            var other => throw ContribOps.Refusal(node, $"the activation '{other}'"),
        };
    }

    private static NodeAttribute Alpha(Node node, float usual) =>
        NodeAttribute.Of("alpha", node.Attributes.Float("activation_alpha", usual));
}
