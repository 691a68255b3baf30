using OrtPeft.Adapters.Artifacts;
using OrtPeft.Adapters.Artifacts.Objectives;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;

namespace OrtPeft.Adapters.Inspection;

/// <summary>Whether an adapted model trains on rows of tokens, found by building its training graph.</summary>
/// <param name="Reason">Why not and what to do, or null when it trains.</param>
/// <param name="WithoutGradient">
/// The nodes between the trainable parameters and the logits that no gradient rule is known for, in execution order.
/// </param>
public sealed record TrainingVerdict(string? Reason, IReadOnlyList<Node> WithoutGradient)
{
    private static readonly HashSet<string> FedByRows =
    [
        "input_ids", "attention_mask", "position_ids", "labels", TrainingGraph.Scale, DropoutLowering.SeedInput,
    ];

    /// <summary>Whether the model trains.</summary>
    public bool Trains => Reason is null;

    /// <summary>A verdict on a model that no adapter could be put on.</summary>
    /// <param name="reason">Why not, and what to do.</param>
    /// <returns>The verdict.</returns>
    public static TrainingVerdict No(string reason) => new(reason, []);

    /// <summary>Builds the training graph, opens no session, and forgets the graph.</summary>
    /// <param name="peft">The adapted model.</param>
    /// <returns>The verdict.</returns>
    public static TrainingVerdict Of(PeftModel peft)
    {
        ArgumentNullException.ThrowIfNull(peft);
        IReadOnlyList<Node> without = [];
        try
        {
            without = TrainingGraph.NodesWithoutGradient(peft);
            return new TrainingVerdict(Misfit(peft, TrainingGraph.ForTraining(peft, new CausalLm()).Graph), without);
        }
        catch (Exception e) when (e is GraphException or UnsupportedOpException or ConfigException)
        {
            return new TrainingVerdict(without is [var first, ..] ? WithoutRule(first, peft) : e.Message, without);
        }
    }

    /// <summary>What an operator makes that nothing is known of may stop the build before its gradient does.</summary>
    private static string WithoutRule(Node node, PeftModel peft) =>
        $"{node} (opset {peft.Model.Opsets.GetValueOrDefault(node.Domain, 1)}) lies between a trainable parameter and " +
        $"the loss, and OrtPeft knows no gradient for {node.OpType}; choose targets behind it, or export the model " +
        "without it.";

    private static string? Misfit(PeftModel peft, Graph training)
    {
        if (peft.Parameters.Count == 0)
            return "the method trains nothing in it; choose other targets.";
        if (training.Find("input_ids") is not { IsGraphInput: true })
            return "it has no input 'input_ids' that the logits depend on; export it with Optimum's names.";
        var parameters = peft.Parameters.Select(static p => p.Name).ToHashSet(StringComparer.Ordinal);
        var unfed = training.Inputs.FirstOrDefault(i =>
            !FedByRows.Contains(i.Name) && !parameters.Contains(i.Name) && !PastRemoval.IsPast(i));
        return unfed is null
            ? null
            : $"its input {unfed} is nothing that rows bring; export it with Optimum's names, or without that input.";
    }
}
