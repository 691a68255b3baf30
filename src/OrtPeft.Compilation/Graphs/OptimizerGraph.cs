using OrtPeft.Artifacts;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Graphs;

/// <summary>
/// AdamW with global-norm clipping as a graph of standard operators over flat vectors: all parameters one after the
/// other. However many there are, it is the same handful of nodes. Inputs and outputs are called as their
/// <see cref="ValueRoles"/>.
/// </summary>
public static class OptimizerGraph
{
    /// <summary>Builds the graph.</summary>
    /// <param name="count">n, the number of elements of all parameters.</param>
    /// <param name="config">The optimiser's constants.</param>
    /// <param name="hasFactors">Whether it takes <see cref="ValueRoles.LearningRateFactors"/>; false when left
    /// out.</param>
    /// <returns>The model.</returns>
    public static Model Build(long count, AdamWConfig config, bool hasFactors = false)
    {
        ArgumentNullException.ThrowIfNull(config);
        var model = new Model(Onnx.Passes.CanonicalForm.Opset, graphName: "adamw") { ProducerName = "OrtPeft" };
        var graph = model.Graph;
        var g = new GraphBuilder(graph, new ShapeInference(model.Opset));
        var parameters = graph.AddInput(ValueRoles.Parameters, ElementType.Float, [count]);
        var gradients = graph.AddInput(ValueRoles.Gradients, ElementType.Float, [count]);
        var m = graph.AddInput(ValueRoles.FirstMoments, ElementType.Float, [count]);
        var v = graph.AddInput(ValueRoles.SecondMoments, ElementType.Float, [count]);
        var rate = graph.AddInput(ValueRoles.LearningRate, ElementType.Float, []);
        if (hasFactors)
            rate = g.Mul(rate, graph.AddInput(ValueRoles.LearningRateFactors, ElementType.Float, [count]));
        var step = graph.AddInput(ValueRoles.Step, ElementType.Int64, []);

        var norm = GlobalNorm.Of(g, gradients, count);
        var clipped = config.MaxGradNorm > 0 ? g.Mul(gradients, ClipFactor(g, norm, config.MaxGradNorm)) : gradients;
        var newM = g.Add(g.Mul(m, config.Beta1), g.Mul(clipped, 1 - config.Beta1));
        var newV = g.Add(g.Mul(v, config.Beta2), g.Mul(g.Mul(clipped, clipped), 1 - config.Beta2));
        var t = g.Cast(step, ElementType.Double);
        var stepSize = g.Div(rate, g.Cast(Correction(g, t, config.Beta1), ElementType.Float));
        var root = g.Cast(g.Op("Sqrt", Correction(g, t, config.Beta2)), ElementType.Float);
        var denominator = g.Add(g.Div(g.Op("Sqrt", newV), root), config.Epsilon);
        var kept = g.Sub(g.Scalar(ElementType.Float, 1), g.Mul(rate, config.WeightDecay));
        var decayed = config.WeightDecay == 0 ? parameters : g.Mul(parameters, kept);
        var updated = g.Sub(decayed, g.Mul(stepSize, g.Div(newM, denominator)));

        Output(graph, updated, ValueRoles.Updated(ValueRoles.Parameters));
        Output(graph, newM, ValueRoles.Updated(ValueRoles.FirstMoments));
        Output(graph, newV, ValueRoles.Updated(ValueRoles.SecondMoments));
        Output(graph, norm, ValueRoles.GradNorm);
        return model;
    }

    /// <summary>min(1, max_norm / (norm + 1e-6)), as PyTorch's <c>clip_grad_norm_</c>.</summary>
    private static Value ClipFactor(GraphBuilder g, Value norm, double maxNorm) =>
        g.Op("Min", g.Div(g.Scalar(ElementType.Float, maxNorm), g.Add(norm, 1e-6)), g.Scalar(ElementType.Float, 1));

    /// <summary>1 − βᵗ, in float64: float32 would lose β₂'s first steps.</summary>
    private static Value Correction(GraphBuilder g, Value t, double beta) =>
        g.Sub(g.Scalar(ElementType.Double, 1), g.Op("Pow", g.Scalar(ElementType.Double, beta), t));

    private static void Output(Graph graph, Value value, string name)
    {
        graph.Rename(value, name);
        graph.AddOutput(value);
    }
}
