using System.Diagnostics.CodeAnalysis;
using OrtPeft.Adapters;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Compilation.Portable;
using OrtPeft.Compilation.Rewrites;
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
        PeftModel peft, IObjective objective, TrainingArguments arguments, Action<CompiledGraph> require)
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
                var graph = TrainingGraph.Build(peft, objective, new TrainingGraphOptions
                {
                    BaseDropout = arguments.BaseDropout,
                    Speedups = speedups,
                });
                require(graph);
                return Open(graph, options with { Prepacking = packs });
            },
            OpenEvaluation = options => Open(EvaluationGraph.Build(peft, objective), options),
            OpenOptimizer = options => Open(
                OptimizerGraph.Build(parameters.FlatLength, arguments.Optimizer, parameters.HasFactors), options),
        };
    }

    /// <summary>Opens a graph.</summary>
    [SuppressMessage("Reliability", "CA2000", Justification = "The result takes the session over.")]
    public static GraphSession Open(CompiledGraph graph, RuntimeOptions options)
    {
        var opened = ModelSession.Open(graph.Model, options);
        return new GraphSession(opened.Session, graph.Contract, opened, $"The graph '{graph.Graph.Name}'");
    }
}
