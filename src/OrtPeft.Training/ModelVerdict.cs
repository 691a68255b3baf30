using OrtPeft.Adapters;
using OrtPeft.Compilation;
using OrtPeft.Compilation.Artifacts;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Inference.Evaluation;
using OrtPeft.Onnx;
using OrtPeft.Runtime.Sessions;

namespace OrtPeft.Training;

/// <summary>
/// Whether an adapted model trains on rows of tokens: the one answer of <c>inspect</c>, and what a
/// <see cref="Trainer"/> asks before it trains.
/// </summary>
internal static class ModelVerdict
{
    /// <summary>Builds the training graph, and runs the base once on a few tokens.</summary>
    /// <param name="peft">The adapted model.</param>
    /// <param name="options">How to run it; the CPU with all cores when left out.</param>
    /// <returns>The verdict.</returns>
    public static TrainingVerdict Of(PeftModel peft, RuntimeOptions? options = null)
    {
        var verdict = TrainingVerdict.Of(peft);
        return verdict.Trains
            ? verdict with { Reason = WhyNotNumbers(peft) ?? WhyNotCausal(LogitsGraph.Build(peft), options) }
            : verdict;
    }

    /// <summary>Why a model does not train, whatever its training graph is like; what <see cref="Of"/> says.</summary>
    /// <param name="peft">The adapted model.</param>
    /// <param name="options">How to run it.</param>
    /// <returns>The reason; null where there is none.</returns>
    internal static string? WhyNot(PeftModel peft, RuntimeOptions options)
    {
        try
        {
            return WhyNotNumbers(peft) ?? WhyNotCausal(LogitsGraph.Build(peft), options);
        }
        catch (GraphException e)
        {
            return e.Message;
        }
    }

    /// <summary>Refuses what <see cref="Of"/> would say no to, in the same words.</summary>
    /// <param name="training">The model's training graph.</param>
    /// <param name="otherwise">Why the model does not train whatever that graph is like, or null.</param>
    /// <exception cref="GraphException">The model does not train.</exception>
    internal static void Require(CompiledGraph training, string? otherwise)
    {
        if ((TrainingVerdict.WhyRowsDoNotFit(training) ?? otherwise) is { } reason)
            throw new GraphException($"This graph does not train: {reason}");
    }

    /// <summary>Refuses to measure a model's next-token loss where it would have no meaning.</summary>
    /// <param name="loss">The graph of its loss.</param>
    /// <param name="forward">The graph of its logits.</param>
    /// <param name="options">How to run it.</param>
    /// <exception cref="GraphException">The model does not answer token by token.</exception>
    internal static void RequireLoss(CompiledGraph loss, Model forward, RuntimeOptions options)
    {
        var why = TrainingVerdict.WhyRowsDoNotFit(loss) ?? WhyNotCausal(forward, options, wantsNumbers: false);
        if (why is { } reason)
            throw new GraphException($"This graph has no next-token loss: {reason}");
    }

    /// <summary>The base's own weights are left out: whether they are numbers shows in its logits.</summary>
    private static string? WhyNotNumbers(PeftModel peft)
    {
        var ofBase = peft.CanonicalBase.Graph.Initializers.Select(static v => v.Initializer!.Data).ToHashSet();
        return peft.GetWeights().FirstOrDefault(w => !ofBase.Contains(w.Value.Data) && !FiniteNumbers.Are(w.Value))
            is { Key: { } name } broken
            ? $"the adapter's '{name}' {broken.Value.Shape} holds NaN or infinity; take another adapter or checkpoint."
            : null;
    }

    private static string? WhyNotCausal(Model forward, RuntimeOptions? options, bool wantsNumbers = true)
    {
        try
        {
            return CausalityCheck.ProblemOf(forward, options, wantsNumbers);
        }
        catch (GraphException e)
        {
            return e.Message;
        }
    }
}
