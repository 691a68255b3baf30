using System.Diagnostics.CodeAnalysis;
using OrtPeft.Adapters;
using OrtPeft.Artifacts;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Compilation.Portable;
using OrtPeft.Compilation.Rewrites;
using OrtPeft.Onnx;
using OrtPeft.Runtime.Sessions;

namespace OrtPeft.Training.Runtime;

/// <summary>Portable graphs of a model in memory. All that knows graphs is here: folders train without it.</summary>
internal static class ModelGraphs
{
    /// <summary>The graphs of an adapted model.</summary>
    /// <param name="peft">The adapted model.</param>
    /// <param name="objective">What to minimise.</param>
    /// <param name="arguments">How to train.</param>
    /// <param name="require">Told of the training graph, to refuse it.</param>
    public static OrtGraphs Of(
        PeftModel peft, IObjective objective, TrainingArguments arguments, Action<Graph> require)
    {
        var parameters = PortableParameters.Of(peft, arguments.LearningRateFactorOf);
        var values = peft.Parameters.ToDictionary(static p => p.Name, static p => p.Value, StringComparer.Ordinal);
        return new OrtGraphs
        {
            Parameters = parameters.All,
            FlatLength = parameters.FlatLength,
            VirtualTokens = peft.VirtualTokens,
            InitialWeight = name => values[name].Initializer!,
            OpenTraining = options =>
            {
                var wanted = Speedups.Except(arguments.WithoutSpeedups);
                var (speedups, packs) = SpeedupChoice.For(peft.Model, options, wanted);
                var graph = TrainingGraph.ForTraining(peft, objective, arguments.BaseDropout, speedups);
                require(graph.Graph);
                return OpenLoss(graph, options with { Prepacking = packs }, parameters.All);
            },
            OpenEvaluation = options => OpenLoss(
                TrainingGraph.ForEvaluation(peft, objective), options, parameters.All),
            OpenOptimizer = options =>
            {
                var graph = OptimizerGraph.Build(parameters.FlatLength, arguments.Optimizer, parameters.HasFactors);
                return Open(graph, GraphContract.OfOptimizer(graph.Graph), options);
            },
        };
    }

    /// <summary>Opens a graph of the loss, whose parameters, if any are named, are inputs.</summary>
    public static GraphSession OpenLoss(
        Model model, RuntimeOptions options, IReadOnlyList<ArtifactParameter>? parameters = null) =>
        Open(model, GraphContract.OfLoss(model.Graph, parameters), options);

    [SuppressMessage("Reliability", "CA2000", Justification = "The result takes the session over.")]
    private static GraphSession Open(Model model, ArtifactGraph contract, RuntimeOptions options)
    {
        var opened = ModelSession.Open(model, options);
        return new GraphSession(opened.Session, contract, opened, $"The graph '{model.Graph.Name}'");
    }
}
