using System.Globalization;
using System.Text.Json;
using OrtPeft.Tensors.Storage;
using OrtPeft.Training.Data;
using OrtPeft.Training.Data.Containers;

namespace OrtPeft.Training.Answers;

/// <summary>A question with answers to choose from, as the files of public benchmarks have them.</summary>
/// <param name="prompt">What stands before each choice.</param>
/// <param name="choices">The answers, two or more.</param>
/// <param name="answer">Which one is right, from 0.</param>
public sealed class ChoiceRow(string prompt, IReadOnlyList<string> choices, int answer)
{
    private const string Expected = "expected choices with prompt, question, query or ctx, and an answer";

    private static readonly string[] ChoiceFields = ["choices", "endings", "options"];
    private static readonly string[] PromptFields = ["prompt", "ctx", "query"];
    private static readonly string[] AnswerFields = ["answer", "answerKey", "label", "gold"];

    /// <summary>The prompt before each choice.</summary>
    public string Prompt => prompt;

    /// <summary>The answers.</summary>
    public IReadOnlyList<string> Choices => choices;

    /// <summary>The index of the right choice, from 0.</summary>
    public int Answer => answer;

    /// <summary>The row's line in its file, from 1; 0 when it came from memory.</summary>
    public int Line { get; init; }

    /// <summary>Whether the first row of a file has choices.</summary>
    /// <param name="path">The file.</param>
    /// <returns>False where the file has no row, or one that is not an object.</returns>
    /// <exception cref="TrainingDataException">The file cannot be opened.</exception>
    public static bool AreIn(string path)
    {
        foreach (var line in RowStream.Read(path))
        {
            try
            {
                using var row = JsonDocument.Parse(line.Bytes);
                return row.RootElement.ValueKind == JsonValueKind.Object && Find(row.RootElement, ChoiceFields) is not null;
            }
            catch (JsonException)
            {
                return false; // whoever reads the row says what is wrong with it
            }
        }

        return false;
    }

    /// <summary>
    /// Reads the rows of a file: <c>choices</c> (or <c>endings</c>, <c>options</c>), an array of texts or ARC's object of
    /// <c>text</c> and <c>label</c>; <c>prompt</c>, <c>ctx</c> or <c>query</c> as they are, or <c>question</c>, which
    /// becomes <c>Question: …</c> and <c>Answer:</c> on two lines; and <c>answer</c> (or <c>answerKey</c>, <c>label</c>,
    /// <c>gold</c>), a number from 0, a choice's label or letter, or its text.
    /// </summary>
    /// <param name="path">The file, in any form that rows have.</param>
    /// <returns>The rows, read as they are enumerated.</returns>
    /// <exception cref="TrainingDataException">While enumerating: a row is not one of these.</exception>
    public static IEnumerable<ChoiceRow> Read(string path) =>
        RowStream.Read(path).Select(line => Parse(new DataPlace(path, line.Number), line));

    private static ChoiceRow Parse(DataPlace place, JsonLine line)
    {
        using var json = Json(place, line);
        var row = json.RootElement;
        if (row.ValueKind != JsonValueKind.Object || Find(row, ChoiceFields) is not { } choices)
            throw place.Error($"the row has no choices; {Expected}");
        var (texts, labels) = ChoicesOf(place, choices);
        var prompt = Find(row, PromptFields) is { ValueKind: JsonValueKind.String } given ? given.GetString()!
            : Find(row, "question") is { ValueKind: JsonValueKind.String } question
                ? $"Question: {question.GetString()!.Trim()}\nAnswer:"
                : throw place.Error($"the row has no text to answer; {Expected}");
        if (Find(row, AnswerFields) is not { } gold)
            throw place.Error($"the row has no answer; {Expected}");
        return new ChoiceRow(prompt, texts, AnswerOf(place, gold, texts, labels)) { Line = place.Line };
    }

    private static JsonDocument Json(DataPlace place, JsonLine line)
    {
        try
        {
            JsonText.Check(line.Bytes.Span);
            return JsonDocument.Parse(line.Bytes);
        }
        catch (JsonException error)
        {
            throw place.Error($"not valid JSON; {Expected}", error);
        }
    }

    private static (string[] Texts, string[] Labels) ChoicesOf(DataPlace place, JsonElement choices)
    {
        var texts = choices.ValueKind == JsonValueKind.Object ? Texts(Find(choices, "text")) : Texts(choices);
        if (texts is not { Length: >= 2 })
            throw place.Error("choices", $"expected an array of two texts or more");
        var letters = texts.Select(static (_, i) => i < 26 ? $"{(char)('A' + i)}" : "").ToArray();
        var labels = choices.ValueKind == JsonValueKind.Object ? Texts(Find(choices, "label")) ?? letters : letters;
        return labels.Length == texts.Length
            ? (texts, labels)
            : throw place.Error("choices.label", $"{labels.Length} labels of {texts.Length} choices");
    }

    private static string[]? Texts(JsonElement? list) =>
        list is { ValueKind: JsonValueKind.Array } array
        && array.EnumerateArray().All(static item => item.ValueKind == JsonValueKind.String)
            ? [.. array.EnumerateArray().Select(static item => item.GetString()!)]
            : null;

    /// <summary>A label goes before a number: of labels 1 to 4 the answer "1" is the first.</summary>
    private static int AnswerOf(DataPlace place, JsonElement gold, string[] texts, string[] labels)
    {
        var text = gold.ValueKind == JsonValueKind.String ? gold.GetString()!.Trim() : null;
        var found = -1;
        if (text is not null)
        {
            found = Array.IndexOf(labels, text);
            if (found < 0)
                found = Array.IndexOf(texts, gold.GetString()!);
        }

        if (found < 0)
        {
            var number = text ?? (gold.ValueKind == JsonValueKind.Number ? gold.GetRawText() : "");
            found = int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : -1;
        }

        return found >= 0 && found < texts.Length
            ? found
            : throw place.Error(
                "answer", $"{DataPlace.Shown(gold.GetRawText())} is not a choice; expected 0 to {texts.Length - 1}, one of {string.Join(", ", labels)}, or a choice's text");
    }

    private static JsonElement? Find(JsonElement row, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (row.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null)
                return value;
        }

        return null;
    }
}
