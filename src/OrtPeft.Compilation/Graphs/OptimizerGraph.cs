using OrtPeft.Artifacts;
using OrtPeft.Compilation.Optimizers;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Compilation.Graphs;

/// <summary>
/// An optimiser with global-norm clipping as a graph of standard operators over flat vectors: all parameters one after the
/// other. However many there are, it is the same handful of nodes. Inputs and outputs are called as their
/// <see cref="ValueRoles"/>.
/// </summary>
public static class OptimizerGraph
{
    /// <summary>Builds the graph.</summary>
    /// <param name="count">n, the number of elements of all parameters.</param>
    /// <param name="config">The optimiser and its constants.</param>
    /// <param name="hasFactors">Whether it takes <see cref="ValueRoles.LearningRateFactors"/>; false when left
    /// out.</param>
    /// <returns>The graph.</returns>
    /// <exception cref="ArgumentException">The optimiser is none of those here.</exception>
    public static CompiledGraph Build(long count, OptimizerConfig config, bool hasFactors = false)
    {
        ArgumentNullException.ThrowIfNull(config);
        var model = new Model(Onnx.Passes.CanonicalForm.Opset, graphName: config.Name) { ProducerName = "OrtPeft" };
        var graph = model.Graph;
        var g = new GraphBuilder(graph, new ShapeInference(model.Opset));
        var parameters = g.Term(graph.AddInput(ValueRoles.Parameters, ElementType.Float, [count]));
        var gradients = g.Term(graph.AddInput(ValueRoles.Gradients, ElementType.Float, [count]));
        var rate = g.Term(graph.AddInput(ValueRoles.LearningRate, ElementType.Float, []));
        if (hasFactors)
            rate *= graph.AddInput(ValueRoles.LearningRateFactors, ElementType.Float, [count]);
        var number = g.Term(graph.AddInput(ValueRoles.Step, ElementType.Int64, []));
        var norm = GlobalNorm.Of(gradients, count);
        var clipped = config.MaxGradNorm > 0 ? gradients * ClipFactor(norm, config.MaxGradNorm) : gradients;
        var step = new OptimizerStep(g, count, parameters, clipped, rate, number);

        var updated = config switch
        {
            AdamWConfig adamW => AdamW.Build(step, adamW),
            LionConfig lion => Lion.Build(step, lion),
            SgdConfig sgd => Sgd.Build(step, sgd),
            _ => throw new ArgumentException($"{config.Name} has no graph.", nameof(config)),
        };

        Output(graph, updated, ValueRoles.Updated(ValueRoles.Parameters));
        foreach (var (role, state) in step.States)
            Output(graph, state, ValueRoles.Updated(role));
        Output(graph, norm, ValueRoles.GradNorm);
        return new CompiledGraph(model, GraphContract.OfOptimizer(graph));
    }

    /// <summary>min(1, max_norm / (norm + 1e-6)), as PyTorch's <c>clip_grad_norm_</c>.</summary>
    private static Term ClipFactor(Term norm, double maxNorm) => Min(maxNorm / (norm + 1e-6), 1);

    private static void Output(Graph graph, Value value, string name)
    {
        graph.Rename(value, name);
        graph.AddOutput(value);
    }
}
