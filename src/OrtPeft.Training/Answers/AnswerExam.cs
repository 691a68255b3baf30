using OrtPeft.Inference.Generation;
using OrtPeft.Tokenizers;
using OrtPeft.Training.Data;

namespace OrtPeft.Training.Answers;

/// <summary>Asks a model, and scores what it answers.</summary>
public static class AnswerExam
{
    /// <summary>The tokens that are allowed beyond the longest expected answer, so that a longer one shows.</summary>
    private const int Room = 16;

    /// <summary>Answers prompts, one as the result is enumerated.</summary>
    /// <param name="generator">The model.</param>
    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <param name="rows">The prompts.</param>
    /// <param name="options">How tokens are chosen and what ends an answer; the end of text is the tokenizer's where it
    /// is left out.</param>
    /// <param name="cancellation">Stops between two tokens.</param>
    /// <returns>An answer for each prompt, in their order.</returns>
    /// <exception cref="OperationCanceledException">While enumerating: it was cancelled.</exception>
    public static IEnumerable<ScoredAnswer> Take(
        Generator generator,
        ITokenizer tokenizer,
        IEnumerable<AnswerRow> rows,
        GenerationOptions options,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(generator);
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(options);
        options = options with
        {
            EosTokenId = options.EosTokenId ?? tokenizer.EndOfTextId,
            VocabularySize = options.VocabularySize ?? tokenizer.VocabularySize,
        };
        return rows.Select(row => Answer(generator, tokenizer, row, options, cancellation));
    }

    /// <summary>How many tokens answers may have that are compared with what is expected.</summary>
    /// <param name="rows">The prompts.</param>
    /// <returns>As many as the longest expected answer has, and some more.</returns>
    public static int TokensFor(IEnumerable<AnswerRow> rows) =>
        rows.Select(static row => row.Expected?.Length ?? 0).DefaultIfEmpty(0).Max() + Room;

    private static ScoredAnswer Answer(
        Generator generator,
        ITokenizer tokenizer,
        AnswerRow row,
        GenerationOptions options,
        CancellationToken cancellation)
    {
        var text = string.Concat(tokenizer.StreamText(generator.Generate(row.Prompt, options, cancellation)));
        var expected = row.Expected is { } ids ? ReadableTokens.Of(tokenizer, [.. ids.TakeWhile(id => !Ends(id))]) : null;
        return new ScoredAnswer(row, ReadableTokens.Of(tokenizer, row.Prompt), expected, text);

        bool Ends(int id) => id == options.EosTokenId || options.StopTokenIds.Contains(id);
    }
}
