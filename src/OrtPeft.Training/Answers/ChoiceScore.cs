using System.Collections.Immutable;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Tokenizers;
using OrtPeft.Training.Data;

namespace OrtPeft.Training.Answers;

/// <summary>How likely a model finds the answers of a question.</summary>
/// <seealso href="https://github.com/EleutherAI/lm-evaluation-harness">acc and acc_norm of multiple_choice tasks.</seealso>
public sealed class ChoiceScore
{
    private ChoiceScore(ChoiceRow row, ImmutableArray<double> logLikelihoods, bool isCut)
    {
        Row = row;
        LogLikelihoods = logLikelihoods;
        IsCut = isCut;
        Chosen = Highest(logLikelihoods);
        ChosenByLength = Highest([.. logLikelihoods.Select((sum, i) => sum / LengthOf(row.Choices[i]))]);
    }

    /// <summary>The question.</summary>
    public ChoiceRow Row { get; }

    /// <summary>The sum of the log-probabilities of each choice's tokens after the prompt, in nats.</summary>
    public ImmutableArray<double> LogLikelihoods { get; }

    /// <summary>Whether the prompt was cut from its beginning to fit the model's context.</summary>
    public bool IsCut { get; }

    /// <summary>The likeliest choice, the first of equals; acc counts how often it is right.</summary>
    public int Chosen { get; }

    /// <summary>The choice that is likeliest for each of its characters; acc_norm counts how often it is right.</summary>
    public int ChosenByLength { get; }

    /// <summary>Measures a question. A space stands between prompt and choice, and white space that ends the prompt belongs
    /// to the choice.</summary>
    /// <param name="row">The question.</param>
    /// <param name="evaluator">The model.</param>
    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <param name="contextLength">The most tokens that the model takes; null for no limit.</param>
    /// <returns>The score.</returns>
    /// <exception cref="TrainingDataException">A choice has no token of its own, or does not fit the context.</exception>
    public static ChoiceScore Of(ChoiceRow row, Evaluator evaluator, ITokenizer tokenizer, int? contextLength)
    {
        ArgumentNullException.ThrowIfNull(row);
        ArgumentNullException.ThrowIfNull(evaluator);
        ArgumentNullException.ThrowIfNull(tokenizer);
        var isCut = false;
        var sums = ImmutableArray.CreateBuilder<double>();
        foreach (var choice in row.Choices)
        {
            var example = ExampleOf(row, choice, tokenizer, contextLength, ref isCut);
            sums.Add(-evaluator.Evaluate(new TokenDataset([example]), batchSize: 1).LossSum);
        }

        return new ChoiceScore(row, sums.ToImmutable(), isCut);
    }

    private static Example ExampleOf(
        ChoiceRow row, string choice, ITokenizer tokenizer, int? contextLength, ref bool isCut)
    {
        var context = row.Prompt.TrimEnd();
        var continuation = $"{row.Prompt[context.Length..]} {choice}";
        var before = tokenizer.WithStart(tokenizer.Encode(context));
        var whole = tokenizer.WithStart(tokenizer.Encode(context + continuation));
        if (before.Count == 0 && tokenizer.EndOfTextId is { } start)
            (before, whole) = ([start], [start, .. whole]);
        var learned = whole.Count - before.Count;
        var cut = contextLength is { } most ? Math.Max(0, whole.Count - most) : 0;
        if (learned < 1 || before.Count - cut < 1)
        {
            throw new DataPlace(null, row.Line).Error(
                "choices", $"{DataPlace.Quote(choice)} has {learned} tokens, which the model's context of {contextLength} does not hold after a prompt");
        }

        isCut |= cut > 0;
        ImmutableArray<int> ids = [.. whole.Skip(cut)];
        return new Example(ids, [.. ids.Select((id, i) => i < ids.Length - learned ? DecoderLabels.Ignored : id)]);
    }

    /// <summary>Characters as Python counts them, which is how the harness measures a choice.</summary>
    private static double LengthOf(string choice) => Math.Max(1, choice.EnumerateRunes().Count());

    private static int Highest(ImmutableArray<double> values) => values.IndexOf(values.Max());
}
