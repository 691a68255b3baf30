using System.Diagnostics.CodeAnalysis;
using System.Runtime.ExceptionServices;
using OrtPeft.Adapters;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Memory;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Compilation.Portable;
using OrtPeft.Compilation.Rewrites;
using OrtPeft.Onnx;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Training.Runtime;

/// <summary>
/// Portable graphs of an adapted model in memory. All that knows graphs is here: folders train without it.
/// </summary>
internal sealed class ModelGraphs : OrtGraphs
{
    private readonly PeftModel _peft;
    private readonly IObjective _objective;
    private readonly TrainingArguments _arguments;
    private readonly PortableParameters _parameters;
    private readonly PartSize? _part;
    private readonly ElementType _products;
    private readonly Dictionary<string, Value> _values;

    private ModelGraphs(
        PeftModel peft, IObjective objective, TrainingArguments arguments, PortableParameters parameters, PartSize? part)
        : base(parameters.All, parameters.FlatLength, peft.VirtualTokens)
    {
        (_peft, _objective, _arguments, _parameters, _part) = (peft, objective, arguments, parameters, part);
        _products = ProductPrecision.InGraph(arguments.Precision, arguments.Runtime);
        _values = peft.Parameters.ToDictionary(static p => p.Name, static p => p.Value, StringComparer.Ordinal);
    }

    /// <summary>The graphs of an adapted model; each is built when it is opened.</summary>
    /// <param name="peft">The adapted model.</param>
    /// <param name="objective">What to minimise.</param>
    /// <param name="arguments">How to train.</param>
    /// <param name="part">The most tokens at once; a model is refused then that has no next-token loss on them. Null
    /// where it is not trained on rows of tokens.</param>
    public static ModelGraphs Of(PeftModel peft, IObjective objective, TrainingArguments arguments, PartSize? part) =>
        new(peft, objective, arguments, ParametersOf(peft, arguments), part);

    private static PortableParameters ParametersOf(PeftModel peft, TrainingArguments arguments) => PortableParameters.Of(
        peft, arguments.LearningRateFactorOf, arguments.IsExemptFromDecay);

    /// <summary>The memory that the open training graph takes; null where that is not known.</summary>
    public MemoryPlan? Memory { get; private set; }

    /// <inheritdoc/>
    public override Tensor InitialWeight(string parameter) => _values[parameter].Initializer!;

    /// <inheritdoc/>
    public override GraphSession OpenTraining(RuntimeOptions options)
    {
        var wanted = Speedups.Except(_arguments.WithoutSpeedups);
        if (_products != ElementType.Float && !options.ReadsHostMemory)
            HalfTrial.Require(_products, _arguments.Precision, options);
        // The base is run before its weights are packed: one set of them is in memory at a time. Whether it can be
        // trained at all is the graph's to say first.
        var obstacle = _part is not null ? Try(() => ModelVerdict.WhyNot(_peft, _arguments.Runtime)) : static () => null;
        ReleasePages();
        var (speedups, packs) = SpeedupChoice.For(_peft.Model, options, wanted, _arguments.Precision);
        var graph = TrainingGraph.Build(_peft, _objective, new TrainingGraphOptions
        {
            BaseDropout = _arguments.BaseDropout,
            NeftuneNoiseAlpha = _arguments.NeftuneNoiseAlpha,
            Speedups = speedups,
            Part = _part,
            MemoryLimit = _arguments.MemoryLimit,
            OptimizerState = OptimizerGraph.StateBytes(_parameters.All, _arguments.Optimizer),
            ScalesProbabilities = _products != ElementType.Float,
            MasksLabels = !options.ReadsHostMemory,
        });
        Memory = graph.Memory;
        if (_part is not null)
            ModelVerdict.Require(graph, obstacle());
        return Open(Placed(ScalesLoss ? LossScaling.Of(graph) : graph, options), options with { Prepacking = packs });
    }

    /// <summary>Does something now whose result, or failure, is wanted later.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "Nothing is lost: whoever asks for the result gets the failure.")]
    private static Func<T> Try<T>(Func<T> work)
    {
        try
        {
            var result = work();
            return () => result;
        }
        catch (Exception e)
        {
            var failure = ExceptionDispatchInfo.Capture(e);
            return () =>
            {
                failure.Throw();
                throw failure.SourceException;
            };
        }
    }

    /// <summary>Training may read packed copies alone.</summary>
    private void ReleasePages()
    {
        var mapped = _peft.Model.Graph.Initializers.Select(static v => v.Initializer!.Data).OfType<MappedTensorData>();
        foreach (var file in mapped.Select(static d => d.File).Distinct())
            file.ReleasePages();
    }

    /// <inheritdoc/>
    public override GraphSession OpenEvaluation(RuntimeOptions options) =>
        OpenForward(Placed(EvaluationGraph.Build(_peft, _objective), options), options);

    /// <inheritdoc/>
    public override GraphSession OpenAccuracy(RuntimeOptions options) =>
        OpenForward(Placed(EvaluationGraph.Build(_peft, new TokenAccuracy()), options), options);

    /// <inheritdoc/>
    public override GraphSession OpenOptimizer(RuntimeOptions options) => Open(
        OptimizerGraph.Build(_parameters.All, _arguments.Optimizer, ScalesLoss), options);

    /// <summary>Opens a graph that copies its input to its output, of any axes.</summary>
    public static GraphSession OpenCopy(ElementType type, RuntimeOptions options) => Open(CopyGraph.Build(type), options);

    /// <summary>bfloat16 has float32's range.</summary>
    private bool ScalesLoss => _products == ElementType.Float16;

    private CompiledGraph Placed(CompiledGraph graph, RuntimeOptions options)
    {
        if (_products != ElementType.Float)
            graph = HalfProducts.Of(graph, _products, rounds: options.ReadsHostMemory);
        return options.DeviceMemory is null ? graph : FlatGraph.Of(graph, _parameters.All);
    }

    /// <summary>Opens a graph that nothing is differentiated in.</summary>
    public static GraphSession OpenForward(CompiledGraph graph, RuntimeOptions options) =>
        Open(graph with { Model = QuantizedModel.For(graph.Model, options) }, options);

    /// <summary>Opens a graph, which gets others in place of operators that the provider lacks.</summary>
    [SuppressMessage("Reliability", "CA2000", Justification = "The result takes the session over.")]
    public static GraphSession Open(CompiledGraph graph, RuntimeOptions options)
    {
        StandIns.Put(graph.Model, ExecutionProvider.Named(options.Provider).Lacks);
        var opened = ModelSession.Open(graph.Model, options);
        return new GraphSession(opened.Session, graph.Contract, options, opened, $"The graph '{graph.Graph.Name}'");
    }
}
