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
/// other. Where an optimiser treats each number alike, it is the same handful of nodes however many there are. Inputs and outputs are called as their
/// <see cref="ValueRoles"/>.
/// </summary>
public static class OptimizerGraph
{
    /// <summary>Builds the graph.</summary>
    /// <param name="parameters">The parameters, each with its <see cref="ArtifactParameter.Offset"/>, ascending. Where
    /// some has a <see cref="ArtifactParameter.LearningRateFactor"/>, the graph takes
    /// <see cref="ValueRoles.LearningRateFactors"/>.</param>
    /// <param name="config">The optimiser and its constants.</param>
    /// <param name="scalesLoss">Whether gradients come multiplied by a factor that the graph adapts, as
    /// <see cref="ValueRoles.GradientScale"/>: for those computed in float16. Default false.</param>
    /// <returns>The graph.</returns>
    /// <exception cref="ArgumentException">The optimiser is none of those here.</exception>
    public static CompiledGraph Build(
        IReadOnlyList<ArtifactParameter> parameters, OptimizerConfig config, bool scalesLoss = false)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentNullException.ThrowIfNull(config);
        var model = new Model(Onnx.Passes.CanonicalForm.Opset, graphName: config.Name) { ProducerName = "OrtPeft" };
        var graph = model.Graph;
        var g = new GraphBuilder(graph, new ShapeInference(model.Opset));
        var length = FlatLayout.LengthOf(parameters);
        var flat = g.Term(graph.AddInput(ValueRoles.Parameters, ElementType.Float, [length]));
        var gradients = g.Term(graph.AddInput(ValueRoles.Gradients, ElementType.Float, [length]));
        var rate = g.Term(graph.AddInput(ValueRoles.LearningRate, ElementType.Float, []));
        var rates = rate;
        if (parameters.Any(static p => p.LearningRateFactor != 1))
            rates *= graph.AddInput(ValueRoles.LearningRateFactors, ElementType.Float, [length]);
        var number = g.Term(graph.AddInput(ValueRoles.Step, ElementType.Int64, []));
        var scaling = scalesLoss ? new LossScaling(g) : null;
        if (scaling is not null)
            (gradients, number) = (scaling.Unscaled(gradients), scaling.Taken(number));
        var norm = GlobalNorm.Of(gradients, length);
        var clipped = config.MaxGradNorm > 0 ? gradients * ClipFactor(norm, config.MaxGradNorm) : gradients;
        Term? skips = scaling is null ? null : LossScaling.Skips(norm);
        if (skips is { } not)
            clipped = Where(not, 0, clipped); // what is computed of them is left out, but must be a number
        var step = new OptimizerStep(g, parameters, flat, clipped, rate, number) { Rate = rates };

        var updated = config switch
        {
            AdamWConfig adamW => AdamW.Build(step, adamW),
            AdamW8bitConfig adamW8bit => AdamW8bit.Build(step, adamW8bit),
            AdafactorConfig adafactor => Adafactor.Build(step, adafactor),
            LionConfig lion => Lion.Build(step, lion),
            MuonConfig muon => Muon.Build(step, muon),
            ScheduleFreeAdamWConfig scheduleFree => ScheduleFreeAdamW.Build(step, scheduleFree),
            SgdConfig sgd => Sgd.Build(step, sgd),
            _ => throw new ArgumentException($"{config.Name} has no graph.", nameof(config)),
        };

        Output(graph, Kept(skips, flat, updated), ValueRoles.Updated(ValueRoles.Parameters));
        foreach (var (role, state) in step.States)
            Output(graph, Kept(skips, graph.Find(role)!, state), ValueRoles.Updated(role));
        foreach (var (role, state) in skips is { } skip ? scaling!.States(skip) : [])
            Output(graph, state, ValueRoles.Updated(role));
        Output(graph, norm, ValueRoles.GradNorm);
        return new CompiledGraph(model, GraphContract.OfOptimizer(graph));
    }

    /// <summary>The value before the step, where the step is left out.</summary>
    private static Term Kept(Term? skips, Value before, Term after) => skips is { } not ? Where(not, before, after) : after;

    /// <summary>The size of what an optimiser keeps from step to step beside the parameters.</summary>
    /// <param name="parameters">The parameters, as <see cref="Build"/> takes them.</param>
    /// <param name="config">The optimiser and its constants.</param>
    /// <returns>Bytes.</returns>
    /// <exception cref="ArgumentException">The optimiser is none of those here.</exception>
    public static long StateBytes(IReadOnlyList<ArtifactParameter> parameters, OptimizerConfig config)
    {
        return Build(parameters, config).Contract.States.Sum(static state => state.Dtype!.Value.ByteCount(
            state.Dims!.Aggregate(1L, static (count, dim) => count * dim.Length!.Value)));
    }

    /// <summary>min(1, max_norm / (norm + 1e-6)), as PyTorch's <c>clip_grad_norm_</c>.</summary>
    private static Term ClipFactor(Term norm, double maxNorm) => Min(maxNorm / (norm + 1e-6), 1);

    private static void Output(Graph graph, Value value, string name)
    {
        graph.Rename(value, name);
        graph.AddOutput(value);
    }
}
