using OrtPeft.Tokenizers;
using OrtPeft.Tokenizers.Chat;
using OrtPeft.Training.Data;

namespace OrtPeft.Cli.Reporting;

/// <summary>Says how rows of messages were read, before anything is learned from them.</summary>
internal static class ChatReport
{
    /// <summary>Lines on the form of messages, and warnings where less is learned than one may think.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="templates">The templates; null in it where there is none.</param>
    /// <param name="folder">The tokenizer's folder.</param>
    /// <param name="tokenizer">The tokenizer; null where rows need none.</param>
    /// <param name="stops">The tokens that end an answer by the files beside the model.</param>
    public static IEnumerable<(string Line, bool IsWarning)> Lines(
        IReadOnlyList<Example> rows,
        Lazy<ChatTemplates?> templates,
        string folder,
        ITokenizer? tokenizer,
        IEnumerable<int> stops)
    {
        var (templated, last, isPlain) = (0, 0, false);
        foreach (var row in rows)
        {
            templated += row.Form == RowForm.Template ? 1 : 0;
            last += row is { Form: RowForm.Template, LearnsLastTurnOnly: true } ? 1 : 0;
            isPlain |= row.Form == RowForm.PlainMessages;
        }

        if (isPlain)
            yield return ($"messages: no chat template in {folder}, so turns are written as \"role: content\"", false);
        if (templated == 0)
            yield break;
        var count = Human.Count(templated, "row");
        yield return ($"messages: {count} by {Names(templates.Value!)} of {folder}", false);
        if (last > 0)
        {
            yield return ($"{Human.Count(last, "row")}: the chat template does not show where the assistant's turns "
                + "begin and end, so only the last turn is learned.", true);
        }

        if (tokenizer is not null && UnlearnedStop(rows, tokenizer, stops) is { } warning)
            yield return (warning, true);
    }

    private static string? UnlearnedStop(IReadOnlyList<Example> rows, ITokenizer tokenizer, IEnumerable<int> stops)
    {
        var ends = new HashSet<int>(stops);
        if (tokenizer.EndOfTextId is { } end)
            ends.Add(end);
        if (ends.Count == 0 || rows.Any(row => row.Form == RowForm.Template && row.Labels.Any(ends.Contains)))
            return null;
        var known = ends.Where(id => id >= 0 && id < tokenizer.VocabularySize).Order();
        var shown = string.Join(", ", known.Select(id => tokenizer.Decode([id])));
        return $"no row learns a token that ends an answer ({shown}); generation may not stop.";
    }

    private static string Names(ChatTemplates templates) => templates.Names.ToArray() is [var only]
        ? only == "default" ? "the chat template" : $"the chat template {only}"
        : $"the chat templates {string.Join(", ", templates.Names)}";
}
