using OrtPeft.Adapters.Artifacts.Objectives;
using OrtPeft.Autodiff;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Shapes;

namespace OrtPeft.Adapters.Artifacts;

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
    /// <returns>Inputs: the model's own, the objective's, <see cref="Scale"/>, the parameters.</returns>
    /// <exception cref="UnsupportedOpException">An operator on the way from a parameter to the loss has no
    /// gradient.</exception>
    public static Model ForTraining(PeftModel peft, IObjective objective)
    {
        var (model, parameters) = Prepare(peft);
        var graph = model.Graph;
        var shapes = Inferred(model);
        DropoutLowering.ForTraining(model, shapes);
        var g = new GraphBuilder(graph, shapes);
        var scale = graph.AddInput(Scale, ElementType.Float, []);
        var loss = objective.Build(new LossScope(g, FirstOutput(graph), scale, parameters.ToHashSet()));
        var gradients = new Differentiator(model, g).Differentiate(loss.Seeds, parameters);
        g.Scope = "";
        SetOutputs(g, loss, parameters.Zip(gradients));
        return model;
    }

    /// <summary>Builds the graph that computes the loss alone, without dropout.</summary>
    /// <param name="peft">The adapted model.</param>
    /// <param name="objective">What to measure.</param>
    /// <returns>Inputs: the model's own, the objective's, the parameters.</returns>
    public static Model ForEvaluation(PeftModel peft, IObjective objective)
    {
        var (model, _) = Prepare(peft);
        return LossAlone(model, objective);
    }

    /// <summary>
    /// Builds the graph that computes a model's loss, its weights staying where they are, without dropout.
    /// </summary>
    /// <param name="model">A base, or a model with an adapter in it; not changed.</param>
    /// <param name="objective">What to measure.</param>
    /// <returns>Inputs: the model's own and the objective's.</returns>
    /// <exception cref="UnsupportedOpException">The graph cannot be brought into canonical form.</exception>
    public static Model ForEvaluation(Model model, IObjective objective)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(objective);
        var copy = model.Clone();
        CanonicalForm.Apply(copy);
        WithoutCache(copy);
        return LossAlone(copy, objective);
    }

    /// <summary>The nodes between the trainable parameters and the output that no gradient rule is known for.</summary>
    /// <param name="peft">The adapted model.</param>
    /// <returns>The nodes in execution order; empty when the model can be trained.</returns>
    public static IReadOnlyList<Node> NodesWithoutGradient(PeftModel peft)
    {
        var (model, parameters) = Prepare(peft);
        DropoutLowering.ForTraining(model, Inferred(model));
        var path = DifferentiablePath.Between(parameters, [FirstOutput(model.Graph)]);
        return [.. model.Graph.Nodes.Where(n => path.Nodes.Contains(n) && RuleOf(n, model) is null)];
    }

    private static GradientRule? RuleOf(Node node, Model model) =>
        GradientTable.Default.Find(node, (int)model.Opsets.GetValueOrDefault(node.Domain, 1));

    private static Model LossAlone(Model model, IObjective objective)
    {
        DropoutLowering.ForEvaluation(model);
        var g = new GraphBuilder(model.Graph, Inferred(model));
        var scope = new LossScope(g, FirstOutput(model.Graph), null, new HashSet<Value>());
        SetOutputs(g, objective.Build(scope), []);
        return model;
    }

    private static Value FirstOutput(Graph graph) => graph.Outputs is [var first, ..]
        ? first
        : throw new GraphException(
        $"Graph '{graph.Name}' has no output; training needs logits: export the model with its language-model head.");

    private static (Model Model, IReadOnlyList<Value> Parameters) Prepare(PeftModel peft)
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

        WithoutCache(model);
        return (model, parameters);
    }

    /// <summary>Only the first output stays: caches go, and the loss that a graph brings of its own.</summary>
    private static void WithoutCache(Model model)
    {
        var graph = model.Graph;
        foreach (var output in graph.Outputs.Skip(1).ToArray())
            graph.RemoveOutput(output);
        graph.RemoveDeadCode();
        var labels = graph.Inputs.FirstOrDefault(static i => i.Name == "labels");
        if (labels is { Uses.Count: 0, IsGraphOutput: false })
            graph.Remove(labels);
        PastRemoval.Run(model);
    }

    private static ShapeInference Inferred(Model model)
    {
        var shapes = new ShapeInference(model.Opset);
        shapes.Infer(model.Graph);
        return shapes;
    }

    private static void SetOutputs(GraphBuilder g, Loss loss, IEnumerable<(Value Parameter, Value Gradient)> gradients)
    {
        var graph = g.Graph;
        foreach (var output in graph.Outputs.ToArray())
            graph.RemoveOutput(output);
        Name(loss.Sum, LossSum);
        Name(loss.Count, Count);
        foreach (var (parameter, gradient) in gradients)
        {
            var needsOwnName = gradient.IsGraphOutput || gradient.Producer is null;
            Name(needsOwnName ? g.Op("Identity", gradient) : gradient, GradientOf(parameter.Name));
        }

        graph.RemoveDeadCode();
        graph.SortTopologically();

        void Name(Value value, string name)
        {
            graph.Rename(value, name);
            graph.AddOutput(value);
        }
    }
}
