using OrtPeft.Artifacts;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.OrtTraining;

/// <summary>
/// AdamW as ONNX Runtime's training API runs it: one operator over sequences of all parameters, gradients and
/// moments, which it updates where they are.
/// </summary>
/// <remarks>
/// The names and the order of the inputs are the engine's. Adam's mode 0 is PyTorch's AdamW: p ← p·(1 − lr·wd), then
/// p ← p − lr·m̂ / (√v̂ + ε).
/// </remarks>
internal static class OptimizerModel
{
    public const string Domain = "com.microsoft";

    private const long TorchMode = 0;

    public static Model Build(AdamWConfig config, double learningRateFactor)
    {
        var model = new Model(Onnx.Passes.CanonicalForm.Opset, graphName: "optimizer") { ProducerName = "OrtPeft" };
        model.Opsets[Domain] = 1;
        var graph = model.Graph;
        var rate = graph.AddInput("learning_rate", ElementType.Float, [1]);
        var step = graph.AddInput("step", ElementType.Int64, [1]);
        var parameters = graph.AddSequenceInput("params", ElementType.Float);
        var gradients = graph.AddSequenceInput("gradients", ElementType.Float);
        var first = graph.AddSequenceInput("first_order_moments", ElementType.Float);
        var second = graph.AddSequenceInput("second_order_moments", ElementType.Float);
        if (learningRateFactor != 1)
        {
            var factor = graph.AddInitializer("learning_rate_factor", Tensor.Vector((float)learningRateFactor));
            rate = graph.AddNode("Mul", [rate, factor], ["folded_learning_rate"], name: "FoldLearningRate").Output;
        }

        if (config.MaxGradNorm > 0)
            gradients = Clipped(graph, gradients, config.MaxGradNorm);
        var updated = graph.AddNode(
            "AdamWOptimizer",
            [rate, step, parameters, gradients, first, second],
            ["updated_flag"],
            Attributes(config),
            Domain,
            "AdamW").Output;
        (updated.Type, updated.Shape) = (ElementType.Bool, [1]);
        graph.AddOutput(updated);
        return model;
    }

    /// <summary>All gradients times min(1, max_norm / (norm + 1e-6)), where they are.</summary>
    private static Value Clipped(Graph graph, Value gradients, double maxNorm) => graph.AddNode(
        "InplaceClipGradNorm",
        [gradients],
        ["clipped_gradients"],
        [NodeAttribute.Of("max_norm", (float)maxNorm), NodeAttribute.Of("norm_type", "fro")],
        Domain,
        "ClipGradNorm").Output;

    private static NodeAttribute[] Attributes(AdamWConfig config) =>
    [
        NodeAttribute.Of("alpha", (float)config.Beta1),
        NodeAttribute.Of("beta", (float)config.Beta2),
        NodeAttribute.Of("epsilon", (float)config.Epsilon),
        NodeAttribute.Of("weight_decay", (float)config.WeightDecay),
        NodeAttribute.Of("adam_mode", TorchMode),
        NodeAttribute.Of("correct_bias", 1L),
    ];
}
