using System.Collections.Frozen;
using OrtPeft.Tokenizers.Json;

namespace OrtPeft.Tokenizers.PostProcessors;

/// <summary>The post-processors of <c>tokenizer.json</c>, of which only what they put around a single text matters: a row
/// each.</summary>
internal static class TextFrameReader
{
    private static readonly FrozenDictionary<string, Func<JsonField, Func<string, int?>, TextFrame>> Rows =
        new Dictionary<string, Func<JsonField, Func<string, int?>, TextFrame>>
        {
            ["BertProcessing"] = static (field, _) => ReadPair(field),
            ["ByteLevel"] = static (_, _) => TextFrame.None,
            ["RobertaProcessing"] = static (field, _) => ReadPair(field),
            ["Sequence"] = static (field, find) => field.Get("processors").Items()
                .Aggregate(TextFrame.None, (inner, part) => inner.Within(Read(part, find))),
            ["TemplateProcessing"] = ReadTemplate,
        }.ToFrozenDictionary();

    /// <param name="field">The post-processor.</param>
    /// <param name="find">Ids by token, for templates that do not list theirs.</param>
    /// <exception cref="TokenizerFormatException">The component is not known, or a field of it is wrong.</exception>
    public static TextFrame Read(JsonField field, Func<string, int?> find) =>
        field.Component(Rows, "post-processor")(field, find);

    /// <summary><c>cls</c> before and <c>sep</c> after, each a token with its id.</summary>
    private static TextFrame ReadPair(JsonField field) =>
        new([ReadToken(field.Get("cls"))], [ReadToken(field.Get("sep"))]);

    private static int ReadToken(JsonField field)
    {
        JsonField[] parts = [.. field.Items()];
        return parts.Length == 2
            ? parts[1].AsInt32()
            : throw field.Place.Error($"{field.Shown()} is not a token with its id");
    }

    private static TextFrame ReadTemplate(JsonField template, Func<string, int?> find)
    {
        List<int> before = [];
        List<int> after = [];
        var isBehind = false;
        foreach (var piece in template.Get("single").Items())
        {
            if (piece.Find("Sequence") is { } sequence)
            {
                var isWrong = isBehind || sequence.Get("id").AsString() != "A";
                isBehind = !isWrong ? true : throw sequence.Place.Error("a single text is \"A\", and stands there once");
            }
            else
            {
                (isBehind ? after : before).AddRange(ReadSpecial(template, piece.Get("SpecialToken").Get("id"), find));
            }
        }

        return isBehind
            ? new TextFrame([.. before], [.. after])
            : throw template.Place.Error("the template \"single\" leaves the text out; put the sequence \"A\" into it");
    }

    private static IEnumerable<int> ReadSpecial(JsonField template, JsonField name, Func<string, int?> find)
    {
        if (template.Find("special_tokens")?.Find(name.AsString()) is { } listed)
            return [.. listed.Get("ids").Items().Select(static id => id.AsInt32())];
        return find(name.AsString()) is { } id
            ? [id]
            : throw name.Place.Error($"{name.Shown()} is not in the vocabulary; name one of its tokens");
    }
}
