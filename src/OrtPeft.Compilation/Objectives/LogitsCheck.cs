using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Objectives;

/// <summary>
/// Whether an output is what next-token training needs: a row of scores for every token, as far as types and axes tell.
/// </summary>
internal static class LogitsCheck
{
    private const int Named = 5;

    private static readonly string[] KeepNumbers =
        ["Identity", "Cast", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Slice"];

    private const string HowToName =
        "give the logits' output the name 'logits' when exporting (output_names=[\"logits\", …])";

    /// <summary>The axes, <c>[batch, sequence, vocabulary]</c> or with the first two the other way round.</summary>
    /// <param name="scope">Has the output that is taken for the logits.</param>
    /// <param name="ids">The input of tokens, or null.</param>
    /// <param name="hasHead">Whether a product with the vocabulary makes it.</param>
    /// <exception cref="GraphException">It cannot be trained on; the message says why and what to do.</exception>
    public static Shape ShapeOf(LossScope scope, Value? ids, bool hasHead)
    {
        var output = scope.Output;
        if (output.Type != ElementType.Undefined && !output.Type.IsFloating())
            throw new GraphException(
                $"The output {output} is {output.Type}, and next-token training needs logits, which are "
                + "floating-point: export the model's logits, not what is chosen by them.");
        if (output.Name != DecoderNames.Logits && (!hasHead || scope.Candidates.Count > 1))
            throw new GraphException(Unclear(scope));
        if (Probabilities(output) is { } softmax)
            throw new GraphException(
                $"The output {output} holds probabilities, which {softmax} makes, and next-token training needs logits: export "
                + "the model without it, or name another output (the command takes --io-map logits=NAME).");
        if (ids?.Shape is { Rank: not 2 })
            throw new GraphException($"The input {ids} must have two axes, [batch, sequence]; export the model with these.");
        if (output.Shape is not { Rank: 3 } shape)
            throw new GraphException(OtherAxes(output));
        if (shape[1].Value == 1 && !IsTimeFirst(shape, ids) && ids?.Shape is { Rank: 2 } tokens && tokens[1].Value != 1)
            throw new GraphException(LastPositionOnly(output));
        return shape;
    }

    /// <summary>Whether the axes are those of the tokens the other way round: [sequence, batch, vocabulary].</summary>
    public static bool IsTimeFirst(Shape logits, Value? ids) =>
        ids?.Shape is { Rank: 2 } tokens && !tokens[0].SurelyEquals(tokens[1])
        && logits[0].SurelyEquals(tokens[1]) && logits[1].SurelyEquals(tokens[0]);

    /// <summary>The node that makes probabilities of scores, before nothing but other axes or types.</summary>
    private static Node? Probabilities(Value output)
    {
        var node = output.Producer;
        while (node is { Domain: "" } && KeepNumbers.Contains(node.OpType))
            node = node.Inputs[0]!.Producer;
        return node?.Is("Softmax") == true ? node : null;
    }

    private static string LastPositionOnly(Value output) =>
        $"The output {output} has logits of one position, and next-token training needs those of every position: "
        + "export the model with all, [batch, sequence, vocabulary] (logits_to_keep=0, no pruning of the head).";

    private static string OtherAxes(Value output) => output.Shape switch
    {
        null => $"The number of axes of the output '{output.Name}' is not known, and next-token training needs "
            + "[batch, sequence, vocabulary]: export the model with shapes.",
        { Rank: 2 } => $"The output {output} has two axes, and next-token training needs [batch, sequence, "
            + "vocabulary]: logits of one position (logits_to_keep=1, a pruned head) or of all on one axis do not do; "
            + "export the model with the three.",
        _ => $"The output {output} does not have the three axes that next-token training needs, "
            + "[batch, sequence, vocabulary]: export the model as Optimum does.",
    };

    private static string Unclear(LossScope scope)
    {
        var names = scope.Candidates;
        if (names.Count < 2)
        {
            return $"The output '{scope.Output.Name}' comes from {scope.Output.Producer}, not from a product with the "
                + "vocabulary, and next-token training needs logits: export the model with its language-model head.";
        }

        return "It is not clear which output has the logits, the scores of the vocabulary (candidates: "
            + $"{string.Join(", ", names.Take(Named))}{(names.Count > Named ? ", …" : "")}): {HowToName}, or, where "
            + "none has them, export the model with its language-model head.";
    }
}
