using OrtPeft.Adapters;
using OrtPeft.Compilation.Memory;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Compilation.Rewrites;
using OrtPeft.Kernels;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Graphs;

/// <summary>
/// Builds the graph that computes an adapted model's loss and the gradient of every trainable parameter. Those
/// parameters are inputs under their own names; frozen weights stay initializers that share the base's memory.
/// </summary>
public static class TrainingGraph
{
    /// <summary>
    /// Input: what multiplies every gradient, <c>[] float32</c>; one over the step's supervised elements.
    /// </summary>
    public const string Scale = LossScope.ScaleInput;

    /// <summary>Output: the sum of the losses, <c>[] float32</c>.</summary>
    public const string LossSum = "loss_sum";

    /// <summary>Output: the number of supervised elements, <c>[] int64</c>.</summary>
    public const string Count = "loss_count";

    /// <summary>The output with a parameter's gradient.</summary>
    /// <param name="parameter">The parameter's name.</param>
    /// <returns>The output's name.</returns>
    public static string GradientOf(string parameter) => $"{parameter}.grad";

    /// <summary>Builds the graph.</summary>
    /// <param name="peft">The adapted model.</param>
    /// <param name="objective">What to minimise.</param>
    /// <param name="options">What is decided now; the defaults when left out.</param>
    /// <returns>Inputs: the model's own, the objective's, <see cref="Scale"/>, the parameters.</returns>
    /// <exception cref="ConfigException">The model's adapters are disabled.</exception>
    /// <exception cref="SettingException">It does not fit into <see cref="TrainingGraphOptions.MemoryLimit"/>.</exception>
    /// <exception cref="UnsupportedOpException">An operator on the way from a parameter to the loss has no
    /// gradient.</exception>
    public static CompiledGraph Build(PeftModel peft, IObjective objective, TrainingGraphOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(peft);
        ArgumentNullException.ThrowIfNull(objective);
        if (!peft.Adapters.IsEnabled)
            throw new ConfigException("The model's adapters are disabled, so nothing trains; call Enable() first.");
        try
        {
            return Differentiated(peft, objective, options ?? new TrainingGraphOptions());
        }
        catch (Exception e) when (e is GraphException or UnsupportedOpException)
        {
            if (GradientGaps.CauseOf(peft) is { } cause)
                throw new UnsupportedOpException(cause, e);
            throw;
        }
    }

    private static CompiledGraph Differentiated(PeftModel peft, IObjective objective, TrainingGraphOptions options)
    {
        var prepared = PreparedModel.Of(peft);
        var (model, graph) = (prepared.Model, prepared.Model.Graph);
        if (!options.BaseDropout)
            DropoutLowering.ForEvaluation(model, peft.IsOfBase);
        var g = GraphBuilder.Over(model);
        var seed = options.Dropout(model, g.Shapes);
        if (options.NeftuneNoiseAlpha is { } alpha)
            seed = EmbeddingNoise.Add(g, alpha, seed);
        var speedups = new SpeedupRun(options.Speedups);
        var scale = LossGradients.Add(prepared, g, objective, peft.VirtualTokens, options, speedups, mustBeUsed: true);
        // What is asked for its lengths alone need not be kept for its gradient.
        InputLengths.Run(g);
        speedups.AfterGradient(g);
        BackwardDequantization.Run(g);
        graph.RemoveDeadCode();
        graph.SortTopologically();
        var memory = Fitted(model, options, speedups);
        if (graph.Nodes.Any(static n => n.Domain == FusedOp.Domain))
            model.Opsets[FusedOp.Domain] = 1;
        var roles = new LossRoles(prepared.Parameters.ToHashSet())
        {
            Scale = scale,
            DropoutSeed = seed,
            Gradients = prepared.Parameters,
        };
        return new CompiledGraph(model, GraphContract.OfLoss(graph, roles))
        {
            IdleSpeedups = speedups.Idle,
            Memory = memory,
        };
    }

    /// <summary>Decides what is computed again, and does what follows that.</summary>
    private static MemoryPlan? Fitted(Model model, TrainingGraphOptions options, SpeedupRun speedups)
    {
        if (options.Part is { } part)
        {
            return MemoryPlan.Fit(
                model,
                part,
                options.MemoryLimit,
                options.Speedups.Any(static s => s.UsesKernels),
                speedups.AfterRecomputation,
                options.OptimizerState);
        }

        speedups.AfterRecomputation(model);
        return null;
    }
}
