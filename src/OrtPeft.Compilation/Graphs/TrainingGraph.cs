using OrtPeft.Adapters;
using OrtPeft.Autodiff;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Compilation.Rewrites;
using OrtPeft.Kernels;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Graphs;

/// <summary>
/// Builds the two graphs that training runs: one with the gradient of every trainable parameter, one with the loss
/// alone.
/// Trainable parameters are inputs under their own names; frozen weights stay initializers that share the base's
/// memory.
/// </summary>
public static class TrainingGraph
{
    /// <summary>
    /// Input: what multiplies every gradient, <c>[] float32</c>; one over the step's supervised elements.
    /// </summary>
    public const string Scale = "loss_scale";

    /// <summary>Output: the sum of the losses, <c>[] float32</c>.</summary>
    public const string LossSum = "loss_sum";

    /// <summary>Output: the number of supervised elements, <c>[] int64</c>.</summary>
    public const string Count = "loss_count";

    /// <summary>The output with a parameter's gradient.</summary>
    /// <param name="parameter">The parameter's name.</param>
    /// <returns>The output's name.</returns>
    public static string GradientOf(string parameter) => $"{parameter}.grad";

    /// <summary>Builds the graph that computes loss and gradients.</summary>
    /// <param name="peft">The adapted model.</param>
    /// <param name="objective">What to minimise.</param>
    /// <param name="baseDropout">Whether dropout of the base's own graph, which exports in training mode have, stays
    /// live as in PyTorch's training; the adapter's dropout is its configuration's. Default true.</param>
    /// <param name="speedups">What makes it faster; <see cref="Speedups.Portable"/> when left out.</param>
    /// <param name="foundNothing">Receives the names of those that found nothing to do; may be null.</param>
    /// <returns>Inputs: the model's own, the objective's, <see cref="Scale"/>, the parameters.</returns>
    /// <exception cref="ConfigException">The model's adapters are disabled.</exception>
    /// <exception cref="UnsupportedOpException">An operator on the way from a parameter to the loss has no
    /// gradient.</exception>
    public static Model ForTraining(
        PeftModel peft,
        IObjective objective,
        bool baseDropout = true,
        IReadOnlyList<Speedup>? speedups = null,
        ICollection<string>? foundNothing = null) => ForTraining(
            peft, objective, baseDropout, DropoutLowering.ForTraining,
            new SpeedupRun(speedups ?? Speedups.Portable, foundNothing));

    /// <summary>The same with dropout done in a chosen way.</summary>
    internal static Model ForTraining(
        PeftModel peft,
        IObjective objective,
        bool baseDropout,
        Action<Model, ShapeInference> dropout) =>
        ForTraining(peft, objective, baseDropout, dropout, new SpeedupRun(Speedups.Portable, null));

    private static Model ForTraining(
        PeftModel peft,
        IObjective objective,
        bool baseDropout,
        Action<Model, ShapeInference> dropout,
        SpeedupRun speedups)
    {
        ArgumentNullException.ThrowIfNull(peft);
        if (!peft.Adapters.IsEnabled)
            throw new ConfigException("The model's adapters are disabled, so nothing trains; call Enable() first.");
        try
        {
            return Build(peft, objective, baseDropout, dropout, speedups);
        }
        catch (Exception e) when (e is GraphException or UnsupportedOpException)
        {
            if (CauseOf(peft) is { } cause)
                throw new UnsupportedOpException(cause, e);
            throw;
        }
    }

    private static Model Build(
        PeftModel peft,
        IObjective objective,
        bool baseDropout,
        Action<Model, ShapeInference> dropout,
        SpeedupRun speedups)
    {
        var prepared = Prepare(peft);
        if (!baseDropout)
            DropoutLowering.ForEvaluation(prepared.Model, peft.IsOfBase);
        var g = GraphBuilder.Over(prepared.Model);
        dropout(prepared.Model, g.Shapes);
        Differentiate(prepared, g, objective, peft.VirtualTokens, speedups, mustBeUsed: true);
        speedups.AfterGradient(g);
        speedups.Report();
        if (prepared.Model.Graph.Nodes.Any(static n => n.Domain == FusedOp.Domain))
            prepared.Model.Opsets[FusedOp.Domain] = 1;
        prepared.Model.Graph.RemoveDeadCode();
        prepared.Model.Graph.SortTopologically();
        return prepared.Model;
    }

    /// <summary>
    /// Builds the graph that computes a model's loss and its gradient at chosen inputs and weights, without dropout.
    /// Caches stay inputs, so that the gradient at keys and values of a past can be had.
    /// </summary>
    /// <param name="model">A base, or a model with an adapter in it; not changed.</param>
    /// <param name="objective">What to differentiate.</param>
    /// <param name="wanted">Names of floating-point inputs, or of weights in canonical form, which become
    /// inputs.</param>
    /// <returns>Inputs: the model's own, the objective's, <see cref="Scale"/>, the weights.</returns>
    /// <exception cref="GraphException">The model has no value of a wanted name.</exception>
    /// <exception cref="UnsupportedOpException">An operator on the way to the loss has no gradient.</exception>
    public static Model ForGradients(Model model, IObjective objective, IReadOnlyList<string> wanted)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(objective);
        ArgumentNullException.ThrowIfNull(wanted);
        var copy = model.Clone();
        CanonicalForm.Apply(copy);
        var graph = copy.Graph;
        var values = wanted.Select(name => graph.Find(name) ?? throw new GraphException(
            $"Graph '{graph.Name}' has no value '{name}' to differentiate at.")).ToList();
        foreach (var weight in values.Where(static v => v.Initializer is not null))
            graph.TurnIntoInput(weight);
        var candidates = DecoderNames.CandidatesOf(graph);
        OutputRemoval.Run(copy, graph.Outputs.Skip(1));
        DropoutLowering.ForEvaluation(copy);
        var prepared = new PreparedModel(copy, values, [], candidates);
        var speedups = new SpeedupRun([], null);
        Differentiate(prepared, GraphBuilder.Over(copy), objective, virtualTokens: 0, speedups, mustBeUsed: false);
        return copy;
    }

    /// <summary>Builds the graph that computes the loss alone, without dropout.</summary>
    /// <param name="peft">The adapted model.</param>
    /// <param name="objective">What to measure.</param>
    /// <param name="withPredictions">Whether the model's first output, such as <c>logits</c> [batch, virtual +
    /// sequence, vocabulary], stays an output, the last one, under its own name: then the graph also generates, at the
    /// price of the head's product at every position. Default false.</param>
    /// <returns>Inputs: the model's own, the objective's, the parameters.</returns>
    public static Model ForEvaluation(PeftModel peft, IObjective objective, bool withPredictions = false)
    {
        var prepared = Prepare(peft);
        return LossAlone(prepared.Model, objective, peft.VirtualTokens, prepared.Candidates, withPredictions);
    }

    /// <summary>
    /// Builds the graph that computes a model's loss, its weights staying where they are, without dropout.
    /// </summary>
    /// <param name="model">A base, or a model with an adapter in it; not changed.</param>
    /// <param name="objective">What to measure.</param>
    /// <param name="virtualTokens">How many positions its output has before the first input token's; 0 when left
    /// out.</param>
    /// <returns>Inputs: the model's own and the objective's.</returns>
    /// <exception cref="UnsupportedOpException">The graph cannot be brought into canonical form.</exception>
    public static Model ForEvaluation(Model model, IObjective objective, int virtualTokens = 0)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(objective);
        var copy = model.Clone();
        CanonicalForm.Apply(copy);
        return LossAlone(copy, objective, virtualTokens, ForRows(copy));
    }

    /// <summary>
    /// What an operator makes that nothing is known of may stop the build before its gradient does: that one is named.
    /// </summary>
    private static string? CauseOf(PeftModel peft)
    {
        if (NodesWithoutGradient(peft) is not [var first, ..])
            return null;
        var opset = peft.Model.Opsets.GetValueOrDefault(first.Domain, 1);
        return $"{first} (opset {opset}) lies between a trainable parameter and the loss, and OrtPeft knows no "
            + $"gradient for {first.OpType}; choose targets behind it, or export the model without it.";
    }

    /// <summary>Builds the graph that computes a base's logits from rows of tokens, without dropout.</summary>
    /// <param name="model">The base; not changed.</param>
    /// <returns>Inputs: those that rows bring. One output: the logits, <c>[batch, sequence, vocabulary]</c>.</returns>
    /// <exception cref="UnsupportedOpException">The graph cannot be brought into canonical form.</exception>
    public static Model ForLogits(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var copy = model.Clone();
        CanonicalForm.Apply(copy);
        return LogitsAlone(copy);
    }

    /// <summary>The same of an adapted model's base.</summary>
    /// <param name="peft">The adapted model.</param>
    /// <returns>The graph.</returns>
    public static Model ForLogits(PeftModel peft)
    {
        ArgumentNullException.ThrowIfNull(peft);
        return LogitsAlone(peft.CanonicalBase.Clone());
    }

    /// <summary>Changes a model in canonical form.</summary>
    private static Model LogitsAlone(Model copy)
    {
        ForRows(copy);
        DropoutLowering.ForEvaluation(copy);
        var g = GraphBuilder.Over(copy);
        var logits = FirstOutput(copy.Graph);
        var ids = copy.Graph.Inputs.FirstOrDefault(static i => i.Name == DecoderNames.Ids);
        if (logits.Shape is { Rank: 3 } shape && LogitsCheck.IsTimeFirst(shape, ids))
            SetOutputs(copy.Graph, [g.Transpose(logits, 1, 0, 2)]);
        return copy;
    }

    /// <summary>The nodes between the trainable parameters and the output that no gradient rule is known for.</summary>
    /// <param name="peft">The adapted model.</param>
    /// <returns>The nodes in execution order; empty when the model can be trained.</returns>
    public static IReadOnlyList<Node> NodesWithoutGradient(PeftModel peft)
    {
        var prepared = Prepare(peft);
        var model = prepared.Model;
        DropoutLowering.ForTraining(model, GraphBuilder.Over(model).Shapes);
        var path = DifferentiablePath.Between(prepared.Parameters, [FirstOutput(model.Graph)], prepared.Detached);
        return [.. model.Graph.Nodes.Where(n => path.Nodes.Contains(n) && RuleOf(n, model) is null)];
    }

    private static GradientRule? RuleOf(Node node, Model model) =>
        GradientTable.Default.Find(node, (int)model.Opsets.GetValueOrDefault(node.Domain, 1));

    private static void Differentiate(
        PreparedModel prepared,
        GraphBuilder g,
        IObjective objective,
        int virtualTokens,
        SpeedupRun speedups,
        bool mustBeUsed)
    {
        var (model, wanted) = (prepared.Model, prepared.Parameters);
        var graph = model.Graph;
        var scale = graph.AddInput(Scale, ElementType.Float, []);
        var loss = objective.Build(new LossScope(g, FirstOutput(graph), scale, wanted.ToHashSet(), virtualTokens)
        {
            Candidates = prepared.Candidates,
        });
        loss = Rewritten(loss, g, speedups);
        var path = DifferentiablePath.Between(wanted, loss.Seeds.Select(static s => s.Value), prepared.Detached);
        if (mustBeUsed)
            RequireUse(wanted, path);
        FusedOps.Raise(g, path.Values);
        loss = LossOf(graph);
        var forward = graph.Nodes.ToHashSet();
        var differentiator = new Differentiator(model, g, FusedOps.Gradients);
        var gradients = differentiator.Differentiate(loss.Seeds, wanted, prepared.Detached);
        BackwardDequantization.Run(g, forward);
        g.Scope = "";
        SetOutputs(g, loss, wanted.Zip(gradients));
        speedups.Lower(g);
    }

    /// <summary>A parameter that moves nothing would stay as it is without a word.</summary>
    private static void RequireUse(IReadOnlyList<Value> parameters, DifferentiablePath path)
    {
        if (path.Cut is null && parameters.FirstOrDefault(p => !path.Values.Contains(p)) is { } unused)
            throw new GraphException(
                $"The loss does not depend on the trainable parameter '{unused.Name}'; choose other targets.");
    }

    /// <summary>
    /// The loss after the rewrites before differentiation. They see it as the graph's only results: the head's product
    /// at every position no longer reads what they rewrite, and what takes a result's place is found there.
    /// </summary>
    private static LossValues Rewritten(LossValues loss, GraphBuilder g, SpeedupRun speedups)
    {
        var graph = g.Graph;
        SetOutputs(graph, [loss.Sum, loss.Count, .. loss.Seeds.SelectMany(static s => new[] { s.Value, s.Gradient })]);
        graph.RemoveDeadCode();
        speedups.BeforeGradient(g);
        return LossOf(graph);
    }

    private static LossValues LossOf(Graph graph)
    {
        var seeds = graph.Outputs.Skip(2).Chunk(2).Select(static s => new Seed(s[0], s[1]));
        return new LossValues(graph.Outputs[0], graph.Outputs[1], [.. seeds]);
    }

    private static Model LossAlone(
        Model model,
        IObjective objective,
        int virtualTokens,
        IReadOnlyList<string> candidates,
        bool withPredictions = false)
    {
        DropoutLowering.ForEvaluation(model);
        var g = GraphBuilder.Over(model);
        var predictions = FirstOutput(model.Graph);
        var scope = new LossScope(g, predictions, null, new HashSet<Value>(), virtualTokens)
        {
            Candidates = candidates,
        };
        SetOutputs(g, objective.Build(scope), [], withPredictions ? predictions : null);
        FusedOps.Lower(g);
        model.Graph.RemoveDeadCode();
        return model;
    }

    private static Value FirstOutput(Graph graph) => graph.Outputs is [var first, ..]
        ? first
        : throw new GraphException(
            $"Graph '{graph.Name}' has no output; training needs logits: export it with its language-model head.");

    /// <summary>A copy whose trainable parameters are inputs under their own names, and whose cache is empty.</summary>
    private static PreparedModel Prepare(PeftModel peft)
    {
        ArgumentNullException.ThrowIfNull(peft);
        var model = peft.Model.Clone();
        var graph = model.Graph;
        var parameters = peft.Parameters.Select(p => graph.Find(p.Value.Name)!).ToList();
        foreach (var (parameter, value) in peft.Parameters.Zip(parameters))
        {
            graph.Rename(value, parameter.Name);
            graph.TurnIntoInput(value);
        }

        var candidates = ForRows(model);
        var detached = peft.Detached.Select(d => graph.Find(d.Name)).OfType<Value>().ToList();
        return new PreparedModel(model, parameters, detached, candidates);
    }

    /// <summary>
    /// Caches go, the loss that a graph brings of its own, and inputs that rows do not bring; returns what else could
    /// be logits.
    /// </summary>
    private static IReadOnlyList<string> ForRows(Model model)
    {
        var candidates = DecoderNames.CandidatesOf(model.Graph);
        OutputRemoval.Run(model, model.Graph.Outputs.Skip(1));
        PastRemoval.Run(model);
        RowInputs.Run(model);
        return candidates;
    }

    private static void SetOutputs(Graph graph, IEnumerable<Value> outputs)
    {
        foreach (var output in graph.Outputs.ToArray())
            graph.RemoveOutput(output);
        foreach (var output in outputs)
            graph.AddOutput(output);
    }

    private static void SetOutputs(
        GraphBuilder g, LossValues loss, IEnumerable<(Value Parameter, Value Gradient)> gradients, Value? last = null)
    {
        var graph = g.Graph;
        SetOutputs(graph, []);
        Name(loss.Sum, LossSum);
        Name(loss.Count, Count);
        foreach (var (parameter, gradient) in gradients)
        {
            var needsOwnName = gradient.IsGraphOutput || gradient.Producer is null;
            Name(needsOwnName ? g.Op("Identity", gradient) : gradient, GradientOf(parameter.Name));
        }

        if (last is not null)
            graph.AddOutput(last);
        graph.RemoveDeadCode();
        graph.SortTopologically();

        void Name(Value value, string name)
        {
            graph.Rename(value, name);
            graph.AddOutput(value);
        }
    }

    private sealed record PreparedModel(
        Model Model,
        IReadOnlyList<Value> Parameters,
        IReadOnlyList<Value> Detached,
        IReadOnlyList<string> Candidates);
}
