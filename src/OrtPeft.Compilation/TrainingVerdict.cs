using OrtPeft.Adapters;
using OrtPeft.Artifacts;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation;

/// <summary>Whether an adapted model trains on rows of tokens, found by building its training graph.</summary>
/// <param name="Reason">Why not and what to do, or null when it trains.</param>
/// <param name="WithoutGradient">
/// The nodes between the trainable parameters and the logits that no gradient rule is known for, in execution order.
/// </param>
public sealed record TrainingVerdict(string? Reason, IReadOnlyList<Node> WithoutGradient)
{
    private static readonly HashSet<string> FedByRows =
    [
        DecoderNames.Ids, DecoderNames.Mask, DecoderNames.Positions, DecoderNames.Labels,
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
            without = GradientGaps.Of(peft);
            return new TrainingVerdict(WhyNot(peft, TrainingGraph.Build(peft, new CausalLm())), without);
        }
        catch (Exception e) when (e is GraphException or UnsupportedOpException or ConfigException)
        {
            return new TrainingVerdict(e.Message, without);
        }
    }

    private static string? WhyNot(PeftModel peft, CompiledGraph training) => peft.Parameters.Count == 0
        ? "the method trains nothing in it; choose other targets."
        : WhyRowsDoNotFit(training);

    /// <summary>Whether rows of tokens bring all that a graph of the loss is fed with.</summary>
    /// <param name="loss">The graph, with or without gradients.</param>
    /// <returns>What is missing and what to do, or null.</returns>
    public static string? WhyRowsDoNotFit(CompiledGraph loss)
    {
        ArgumentNullException.ThrowIfNull(loss);
        var inputs = loss.Graph.Inputs;
        var unfed = inputs.Zip(loss.Contract.Inputs)
            .FirstOrDefault(static i => i.Second.Role == ValueRoles.Data && !FedByRows.Contains(i.Second.Name)).First;
        if (unfed is not null)
            return $"its input {unfed} is nothing that rows bring; {RemedyFor(unfed)}";
        var ids = inputs.FirstOrDefault(static i => i.Name == DecoderNames.Ids);
        if (ids is null)
            return "no input gives it tokens that the logits depend on; export it with an input of token ids, "
                + "[batch, sequence], called 'input_ids'.";
        return ids.Shape is { Rank: not 2 }
            ? $"its input {ids} must have two axes, [batch, sequence]; export it with these."
            : null;
    }

    private static string RemedyFor(Value input)
    {
        if (input.Name.StartsWith("encoder_", StringComparison.Ordinal))
            return "it is the decoder of an encoder-decoder, which OrtPeft does not train; give a decoder-only model.";
        if (input.Name == DecoderNames.Embeddings)
            return "export the model so that it looks the tokens up itself, with the input 'input_ids'.";
        if (input.Name.Contains("lora", StringComparison.OrdinalIgnoreCase))
            return "it is a slot for an adapter; export the model without its adapter, or give the slots defaults.";
        if (input.Type.IsFloating())
            return "export the model without that input.";
        return "export the model without that input, or with Optimum's names where it is the ids, the mask or the "
            + "positions (the command takes --io-map for names).";
    }
}
