using System.Diagnostics.CodeAnalysis;
using OrtPeft.Adapters;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Onnx;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;
using OrtPeft.Training.Data;
using OrtPeft.Training.Runtime;

namespace OrtPeft.Training;

/// <summary>
/// Measures a model's loss, its adapter, if any, standing in the graph; dropout is off. Not thread-safe; dispose it to
/// free its session.
/// </summary>
public sealed class Evaluator : IDisposable
{
    private readonly LossSession _session;
    private Action? _requireRows;
    private readonly int _virtualTokens;

    /// <summary>Builds the graph of the loss and opens its session.</summary>
    /// <param name="model">A model without an adapter; not changed.</param>
    /// <param name="options">How to run it; the CPU with all cores when left out.</param>
    /// <param name="objective">What to measure; next-token cross-entropy when left out.</param>
    /// <exception cref="GraphException">The model lacks what the objective needs.</exception>
    /// <exception cref="UnsupportedOpException">The graph cannot be brought into canonical form.</exception>
    public Evaluator(Model model, RuntimeOptions? options = null, IObjective? objective = null)
        : this(model, () => LogitsGraph.Build(model), 0, options, objective)
    {
    }

    /// <summary>Builds the graph of an adapted model's loss and opens its session.</summary>
    /// <param name="model">A base with an adapter; its current weights are taken.</param>
    /// <param name="options">How to run it; the CPU with all cores when left out.</param>
    /// <param name="objective">What to measure; next-token cross-entropy when left out.</param>
    /// <exception cref="GraphException">The model lacks what the objective needs.</exception>
    public Evaluator(PeftModel model, RuntimeOptions? options = null, IObjective? objective = null)
        : this(
            Given(model).Model, () => LogitsGraph.Build(model), model.VirtualTokens, options, objective)
    {
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "The session takes the graph's over.")]
    private Evaluator(
        Model model, Func<Model> forward, int virtualTokens, RuntimeOptions? options, IObjective? objective)
    {
        _virtualTokens = virtualTokens;
        options ??= new RuntimeOptions();
        var graph = EvaluationGraph.Build(model, objective ?? new CausalLm(), virtualTokens);
        _requireRows = objective is null or CausalLm
            ? () => ModelVerdict.RequireLoss(graph, forward(), options)
            : null;
        _session = new LossSession(ModelGraphs.OpenForward(graph, options)) { VirtualTokens = virtualTokens };
    }

    /// <summary>Runs all rows through the model.</summary>
    /// <param name="data">The rows.</param>
    /// <param name="batchSize">Rows that go through the model at once, 1 or more; hardly matters to the result.</param>
    /// <param name="cancellation">Stops between two batches with an <see cref="OperationCanceledException"/>.</param>
    /// <returns>The loss.</returns>
    /// <exception cref="GraphException">The model has no next-token loss on rows of tokens: it wants other inputs, or
    /// its logits change with later tokens.</exception>
    public EvaluationResult Evaluate(IDataset data, int batchSize = 8, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(data);
        SettingException.ThrowIfBelow(batchSize, 1, nameof(TrainingArguments.BatchSize));
        if (data is TokenDataset)
            _requireRows?.Invoke();
        _requireRows = null;
        return EvaluationPass.Run(data, batchSize, _virtualTokens, _session.Run, cancellation: cancellation);
    }

    /// <inheritdoc/>
    public void Dispose() => _session.Dispose();

    private static PeftModel Given(PeftModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return model;
    }
}
