using System.Globalization;
using System.Text.Json.Nodes;
using OrtPeft.Cli.Errors;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Tokenizers;
using OrtPeft.Training.Data;
using Spectre.Console;

namespace OrtPeft.Cli.Reporting;

/// <summary>Rows as they would be trained on, in lines and in JSON.</summary>
internal sealed class DataReport(IReadOnlyList<RowPreview> rows, ITokenizer? tokenizer, bool isPrompt)
{
    private const string Dashes = "--- ";

    private int Errors => rows.Count(static r => r.Error is not null);

    /// <summary>The exception to throw, once the report stands, where rows cannot be read; null where all can.</summary>
    public UsageException? Fault => rows.FirstOrDefault(static r => r.Error is not null) is { } first
        ? new UsageException($"{Human.Count(Errors, "row")} cannot be read; the first: {first.Error}")
        : null;

    private IReadOnlyList<Example> Examples => [.. rows.Select(static r => r.Example).OfType<Example>()];

    private int Cut => rows.Count(static r => r.Example is { } example && example.Length < r.WholeLength);

    private int Dropped => isPrompt ? 0 : rows.Count(static r => r.IsDropped && r.Error is null);

    private int Duplicates => Examples.Count - Examples
        .Select(static e => string.Join(',', e.InputIds)).Distinct(StringComparer.Ordinal).Count();

    public IEnumerable<string> Lines()
    {
        var examples = Examples;
        var tokens = examples.Sum(static e => (long)e.Length);
        var learned = examples.Sum(static e => (long)e.SupervisedTokens);
        yield return $"rows: {Human.Count(rows.Count)}, {Human.Count(Cut)} cut, {Human.Count(Dropped)} dropped, "
            + $"{Human.Count(Errors)} with errors, {Human.Count(Duplicates)} repeated";
        foreach (var kind in rows.Where(static r => r.Found is not null).GroupBy(static r => (r.File, r.Found)))
            yield return $"found: {Human.Count(kind.Count())} of {kind.Key.Found} in {kind.Key.File}";
        if (examples.Count == 0)
            yield break;
        int[] lengths = [.. examples.Select(static e => e.Length).Order()];
        var share = isPrompt ? "" : string.Create(
            CultureInfo.InvariantCulture, $", {100.0 * learned / tokens:F1} % of them learned");
        yield return $"tokens: {Human.Count(tokens)}{share}; of a row {Human.Count(lengths[0])} to "
            + $"{Human.Count(lengths[^1])}, half of them up to {Human.Count(lengths[lengths.Length / 2])}";
        foreach (var line in LengthHistogram.Lines(lengths))
            yield return line;
    }

    /// <summary>Prints the first rows, what is learned in colour or, where there is none, between ⟦ and ⟧.</summary>
    public void Show(Invocation run, int count)
    {
        foreach (var row in rows.Take(count))
        {
            run.Say("");
            run.Say(Heading(row));
            if (row.Example is not { } example)
                run.Say(row.Error ?? row.Text ?? "");
            else
                Show(run, example);
        }
    }

    /// <summary>The report as a web page, with the first rows.</summary>
    public string ToHtml(int count) => DataPage.Of(
        Lines(), [.. rows.Take(count)], rows.Count, row => Heading(row)[Dashes.Length..], Stretches);

    public JsonObject ToJson(int count) => new()
    {
        ["rows"] = new JsonArray([.. rows.Take(count).Select(Describe)]),
        ["count"] = rows.Count,
        ["tokens"] = Examples.Sum(static e => (long)e.Length),
        ["supervised"] = isPrompt ? 0 : Examples.Sum(static e => (long)e.SupervisedTokens),
        ["cut"] = Cut,
        ["dropped"] = Dropped,
        ["errors"] = Errors,
        ["repeated"] = Duplicates,
    };

    private string Heading(RowPreview row)
    {
        var place = $"{row.File}:{row.Line}";
        if (row.Example is not { } example)
            return Dashes + place;
        var cut = example.Length < row.WholeLength ? $" of {Human.Count(row.WholeLength)}" : "";
        var learned = isPrompt ? "" : $", {Human.Count(example.SupervisedTokens)} learned";
        return $"{Dashes}{place}: {Human.Count(example.Length)}{cut} tokens{learned}";
    }

    private void Show(Invocation run, Example example)
    {
        var terminal = run.IsJson ? null : run.Host.Terminal;
        foreach (var (isLearned, text) in Stretches(example))
        {
            if (terminal is not null)
                terminal.Write(new Spectre.Console.Text(text, isLearned ? new Style(Color.Green) : Style.Plain));
            else
                run.Write(isLearned ? $"⟦{text}⟧" : text);
        }

        run.Say("");
    }

    /// <summary>The text in stretches that are learned, or are not.</summary>
    private IEnumerable<(bool IsLearned, string Text)> Stretches(Example example)
    {
        for (int start = 0, end; start < example.Length; start = end)
        {
            var isLearned = IsLearned(example, start);
            for (end = start; end < example.Length && IsLearned(example, end) == isLearned;)
                end++;
            var ids = example.InputIds[start..end];
            yield return (isLearned, tokenizer is null ? string.Join(' ', ids) : ReadableTokens.Of(tokenizer, ids));
        }
    }

    private bool IsLearned(Example example, int token) => !isPrompt && example.Labels[token] != DecoderLabels.Ignored;

    private JsonNode Describe(RowPreview row)
    {
        var json = new JsonObject { ["file"] = row.File, ["line"] = row.Line };
        if (row.Error is not null)
        {
            json["error"] = row.Error;
            return json;
        }

        json["text"] = row.Text;
        if (row.Example is { } example)
        {
            json[DecoderNames.Ids] = new JsonArray([.. example.InputIds.Select(static id => (JsonNode)id)]);
            if (!isPrompt)
                json[DecoderNames.Labels] = new JsonArray([.. example.Labels.Select(static id => (JsonNode)id)]);
        }

        if (row.IsDropped && !isPrompt)
            json["dropped"] = true;
        return json;
    }
}
