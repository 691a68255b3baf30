using OrtPeft.Artifacts;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;
using static OrtPeft.Onnx.Building.Formula;

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
    /// <returns>The graph.</returns>
    public static CompiledGraph Build(long count, AdamWConfig config, bool hasFactors = false)
    {
        ArgumentNullException.ThrowIfNull(config);
        var model = new Model(Onnx.Passes.CanonicalForm.Opset, graphName: "adamw") { ProducerName = "OrtPeft" };
        var graph = model.Graph;
        var g = new GraphBuilder(graph, new ShapeInference(model.Opset));
        var parameters = g.Term(graph.AddInput(ValueRoles.Parameters, ElementType.Float, [count]));
        var gradients = g.Term(graph.AddInput(ValueRoles.Gradients, ElementType.Float, [count]));
        var m = g.Term(graph.AddInput(ValueRoles.FirstMoments, ElementType.Float, [count]));
        var v = g.Term(graph.AddInput(ValueRoles.SecondMoments, ElementType.Float, [count]));
        var rate = g.Term(graph.AddInput(ValueRoles.LearningRate, ElementType.Float, []));
        if (hasFactors)
            rate *= graph.AddInput(ValueRoles.LearningRateFactors, ElementType.Float, [count]);
        var step = g.Term(graph.AddInput(ValueRoles.Step, ElementType.Int64, []));

        var norm = GlobalNorm.Of(gradients, count);
        var clipped = config.MaxGradNorm > 0 ? gradients * ClipFactor(norm, config.MaxGradNorm) : gradients;
        var newM = config.Beta1 * m + (1 - config.Beta1) * clipped;
        var newV = config.Beta2 * v + (1 - config.Beta2) * (clipped * clipped);
        var t = Cast(step, ElementType.Double);
        var stepSize = rate / Cast(Correction(t, config.Beta1), ElementType.Float);
        var root = Cast(Sqrt(Correction(t, config.Beta2)), ElementType.Float);
        var denominator = Sqrt(newV) / root + config.Epsilon;
        var kept = 1 - config.WeightDecay * rate;
        var decayed = config.WeightDecay == 0 ? parameters : parameters * kept;
        var updated = decayed - stepSize * (newM / denominator);

        Output(graph, updated, ValueRoles.Updated(ValueRoles.Parameters));
        Output(graph, newM, ValueRoles.Updated(ValueRoles.FirstMoments));
        Output(graph, newV, ValueRoles.Updated(ValueRoles.SecondMoments));
        Output(graph, norm, ValueRoles.GradNorm);
        return new CompiledGraph(model, GraphContract.OfOptimizer(graph));
    }

    /// <summary>min(1, max_norm / (norm + 1e-6)), as PyTorch's <c>clip_grad_norm_</c>.</summary>
    private static Term ClipFactor(Term norm, double maxNorm) => Min(maxNorm / (norm + 1e-6), 1);

    /// <summary>1 − βᵗ, in float64: float32 would lose β₂'s first steps.</summary>
    private static Term Correction(Term t, double beta) => 1 - Pow(t.Number(beta), t);

    private static void Output(Graph graph, Value value, string name)
    {
        graph.Rename(value, name);
        graph.AddOutput(value);
    }
}
