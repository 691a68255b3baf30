using OrtPeft.Adapters;
using OrtPeft.Compilation.Artifacts;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.OrtTraining;

/// <summary>
/// The training and the evaluation model in the form that the training API reads: user inputs, trainable parameters,
/// frozen ones, gradient buffers, the reset flag; the mean loss first.
/// </summary>
internal sealed class LossModels
{
    /// <summary>The flag that makes a step overwrite the gradient buffers instead of adding to them.</summary>
    public const string ResetFlag = "lazy_reset_grad";

    private LossModels(Model training, Model evaluation, IReadOnlyList<AdapterParameter> parameters)
    {
        Training = training;
        Evaluation = evaluation;
        Parameters = parameters;
    }

    public Model Training { get; }

    public Model Evaluation { get; }

    public IReadOnlyList<AdapterParameter> Parameters { get; }

    /// <summary>The weights that became inputs, by their names there, in the inputs' order.</summary>
    public IReadOnlyList<Tensor> Frozen { get; private set; } = [];

    /// <summary>The inputs that an application feeds to both models.</summary>
    public IReadOnlyList<Value> UserInputs { get; private set; } = [];

    public static string BufferOf(string parameter) => $"{parameter}_grad.accumulation.buffer";

    public static string AccumulatedOf(string parameter) => $"{parameter}_grad.accumulation.out";

    public static LossModels Build(PeftModel peft, IObjective objective, ArtifactSettings options)
    {
        var training = WithMeanLoss(TrainingGraph.Build(peft, objective, new TrainingGraphOptions
        {
            BaseDropout = options.BaseDropout,
            Dropout = DropoutLowering.ForTrainingWithGenerator,
        }));
        var evaluation = MeanLoss.Replace(
            EvaluationGraph.Build(peft, objective, options.EvaluationPredictions));
        var models = new LossModels(training, evaluation, peft.Parameters);
        var names = peft.Parameters.Select(static p => p.Name).ToHashSet(StringComparer.Ordinal);
        models.UserInputs = [.. training.Graph.Inputs.Where(i => !names.Contains(i.Name))];
        ReservedNames.Refuse(models.UserInputs);
        var isInCheckpoint = options.Frozen is null or FrozenWeights.Checkpoint;
        var frozen = FrozenSelection.Of(peft, training, evaluation, isInCheckpoint);
        models.Frozen = [.. frozen.Select(f => training.Graph.Find(f)!.Initializer!.WithName(f))];
        Arrange(training.Graph, models, frozen);
        Arrange(evaluation.Graph, models, frozen);
        AddAccumulators(training, peft.Parameters);
        return models;
    }

    private static Model WithMeanLoss(CompiledGraph training)
    {
        EmptyBatches.Allow(training.Model);
        return MeanLoss.Replace(training);
    }

    /// <summary>User inputs, parameters, frozen parameters, in one order in both models.</summary>
    private static void Arrange(Graph graph, LossModels models, IReadOnlyList<string> frozen)
    {
        foreach (var name in frozen)
            graph.TurnIntoInput(graph.Find(name)!);
        var names = models.UserInputs.Select(static i => i.Name)
            .Concat(models.Parameters.Select(static p => p.Name))
            .Concat(frozen);
        graph.OrderInputs(names.Select(n => graph.Find(n)!));
    }

    /// <summary>Each gradient goes into a buffer that the engine owns: added to it, or instead of it.</summary>
    private static void AddAccumulators(Model model, IReadOnlyList<AdapterParameter> parameters)
    {
        var graph = model.Graph;
        model.Opsets[OptimizerModel.Domain] = 1;
        var gradients = parameters.Select(p => Gradient(graph, p)).ToArray();
        var buffers = parameters.Select(p => Buffer(graph, p)).ToArray();
        var flag = graph.AddInput(ResetFlag, ElementType.Bool, [1]);
        foreach (var (i, parameter) in parameters.Index())
        {
            var done = graph.AddNode(
                "InPlaceAccumulatorV2",
                [buffers[i], gradients[i], flag],
                [AccumulatedOf(parameter.Name)],
                domain: OptimizerModel.Domain,
                name: graph.FreshName($"GradientAccumulator{i}")).Output;
            (done.Type, done.Shape) = (ElementType.Bool, [1]);
            graph.AddOutput(done);
        }
    }

    private static Value Gradient(Graph graph, AdapterParameter parameter)
    {
        var gradient = graph.Find(TrainingGraph.GradientOf(parameter.Name))!;
        graph.RemoveOutput(gradient);
        graph.Rename(gradient, $"{parameter.Name}_grad");
        return gradient;
    }

    private static Value Buffer(Graph graph, AdapterParameter parameter)
    {
        var value = graph.Find(parameter.Name)!;
        return graph.AddInput(BufferOf(parameter.Name), value.Type, value.Shape);
    }
}
