using System.Collections.Immutable;
using System.Text.Json;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Tokenizers;
using OrtPeft.Training.Data.Chat;

namespace OrtPeft.Training.Data;

/// <summary>
/// The kinds of rows, told apart by their fields. The first field of the table that a row has decides, so a data set
/// that keeps a text beside its <c>input_ids</c> is read by its ids.
/// </summary>
internal static class RowKinds
{
    private const string Wanted = "text, prompt and completion, messages, conversations, instruction and output, question "
        + "and answer, or input_ids";

    /// <summary>The fields that are read beside a conversation.</summary>
    private static readonly ImmutableArray<string> BesideConversations = ["tools", "documents", "chat_template_kwargs"];

    private static readonly string[] BesideTokens = [DecoderNames.Labels, DecoderNames.Mask, DecoderNames.Positions];

    /// <summary>The name, the field that decides, what is read beside it, and how.</summary>
    private static readonly ImmutableArray<RowKind> Table =
    [
        new("token ids", DecoderNames.Ids, [.. BesideTokens], static (row, _, _) => Tokens(row)),
        new("messages", "messages", [], static (row, t, chat) => Messages(row, Start(row, "messages", t), chat.TrainOn)),
        new("prompt and completion", "prompt", ["completion"], static (row, t, chat) =>
            PromptCompletion(row, Start(row, "prompt", t), chat)),
        new("prompt and completion", "completion", ["prompt"], static (row, t, chat) =>
            PromptCompletion(row, Start(row, "completion", t), chat)),
        new("text", "text", [], static (row, t, _) => Text(row, Start(row, "text", t))),
    ];

    /// <summary>A row that the model's chat template renders, with what does so; null for any other row.</summary>
    public static (ChatRow Row, ChatEncoder Encoder)? Conversation(JsonRow row, ChatFormat chat)
    {
        var isConversation = !row.Has(DecoderNames.Ids) && ChatRow.IsOne(row);
        return isConversation && chat.Templates?.Value is { } templates
            ? (ChatRow.Of(row), new ChatEncoder(templates, chat))
            : null;
    }

    /// <summary>The kind of row, for people; null where it is none.</summary>
    public static string? NameOf(JsonRow row) =>
        row.Found ?? Table.FirstOrDefault(kind => row.Has(kind.Field))?.Name;

    /// <summary>Reads a row; <paramref name="field"/> is the field that decided, for messages.</summary>
    public static Example Read(JsonRow row, ITokenizer? tokenizer, ChatFormat chat, out string field)
    {
        if (Conversation(row, chat) is var (conversation, encoder))
        {
            field = conversation.Field;
            row.Used([.. Table.Select(static k => k.Field), .. BesideConversations]);
            return encoder.Encode(conversation, tokenizer ?? throw NoTokenizer(row, field));
        }

        foreach (var kind in Table)
        {
            if (!row.Has(kind.Field))
                continue;
            field = kind.Field;
            // What another kind of row would be read from may stand there too; it is known not to be read.
            row.Used([.. Table.Select(static k => k.Field), .. kind.Beside]);
            return kind.Read(row, tokenizer, chat);
        }

        throw row.Place.Error(
            $"the row has none of the fields that hold data; give {Wanted}, or set ExampleReaderOptions.Names");
    }

    private static Example Text(JsonRow row, RowTokens tokens) =>
        tokens.Supervised(row.Text("text")).EndOfText().ToExample(row.Place, "text");

    private static Example PromptCompletion(JsonRow row, RowTokens tokens, ChatFormat chat)
    {
        var example = tokens
            .Context(row.Text("prompt"))
            .Supervised(row.Text("completion"))
            .EndOfText()
            .ToExample(row.Place, "completion");
        return chat.TrainOn == TrainOn.All ? Whole(example) : example;
    }

    /// <summary>The same row with every token learned.</summary>
    private static Example Whole(Example example) => new(example.InputIds, example.InputIds)
    {
        File = example.File,
        Line = example.Line,
        Form = example.Form,
    };

    private static Example Messages(JsonRow row, RowTokens tokens, TrainOn? trainOn)
    {
        (JsonElement Message, string Path)[] turns = [.. row.Objects("messages")];
        var last = Array.FindLastIndex(turns, turn => row.Text(turn.Message, "role", $"{turn.Path}.role") == PlainTurns.Assistant);
        var first = trainOn == TrainOn.Last ? last : 0;
        for (var i = 0; i < turns.Length; i++)
        {
            (var message, var path) = turns[i];
            var role = row.Text(message, "role", $"{path}.role");
            if (!PlainTurns.Knows(role))
            {
                throw row.Place.Error(
                    $"{path}.role", $"the role is {DataPlace.Quote(role)}; expected one of {PlainTurns.Known}");
            }

            var content = Content(row, message, $"{path}.content");
            var isLearned = Weight(row, message, path);
            row.UsedInside("messages[]", message, "role", "content", "weight");
            if (isLearned == true && role != PlainTurns.Assistant)
                row.Unused($"messages[].weight of {role} turns");
            if (role == PlainTurns.Assistant && isLearned != false && i >= first)
                tokens.Answer(content);
            else
                tokens.Turn(role, content);
        }

        var example = tokens.ToExample(row.Place, "messages", RowForm.PlainMessages);
        return trainOn == TrainOn.All ? Whole(example) : example;
    }

    /// <summary>A text, or parts of text, which are joined.</summary>
    private static string Content(JsonRow row, JsonElement message, string path)
    {
        if (row.Element(message, "content") is not { ValueKind: JsonValueKind.Array } content)
            return row.Text(message, "content", path);
        return string.Concat(content.EnumerateArray().Select((part, i) =>
        {
            var place = FormattableString.Invariant($"{path}[{i}]");
            var isText = part.ValueKind == JsonValueKind.Object && row.Text(part, "type", $"{place}.type") == "text";
            return isText
                ? row.Text(part, "text", $"{place}.text")
                : throw row.Place.Error(place, $"only parts of text are known without a chat template");
        }));
    }

    /// <summary>OpenAI's field: 0 keeps a turn from being learned, 1 is as none.</summary>
    private static bool? Weight(JsonRow row, JsonElement message, string path) =>
        row.Number(message, "weight", $"{path}.weight") switch
        {
            null => null,
            0 => false,
            1 => true,
            var other => throw row.Place.Error($"{path}.weight", $"the weight is {other}; expected 0 or 1"),
        };

    private static Example Tokens(JsonRow row)
    {
        var ids = row.Integers(DecoderNames.Ids) ?? [];
        if (ids.IsEmpty)
            throw row.Place.Error(DecoderNames.Ids, $"the array is empty; leave the row out");
        var mask = PerToken(row, DecoderNames.Mask, ids.Length);
        var labels = PerToken(row, DecoderNames.Labels, ids.Length) ?? LabelsFor(ids, mask);
        return new Example(ids, labels, mask, PerToken(row, DecoderNames.Positions, ids.Length))
        {
            File = row.Place.File,
            Line = row.Place.Line,
        };
    }

    private static ImmutableArray<int>? PerToken(JsonRow row, string field, int length)
    {
        var values = row.Integers(field);
        if (values is { } given && given.Length != length)
            throw row.Place.Error(field, $"{given.Length} values, but input_ids has {length}; give one for each token");
        return values;
    }

    private static ImmutableArray<int> LabelsFor(ImmutableArray<int> ids, ImmutableArray<int>? mask) =>
        mask is { } shown
            ? [.. ids.Select((id, position) => shown[position] == 0 ? DecoderLabels.Ignored : id)]
            : ids;

    private static RowTokens Start(JsonRow row, string field, ITokenizer? tokenizer) => tokenizer is not null
        ? new RowTokens(tokenizer)
        : throw NoTokenizer(row, field);

    private static TrainingDataException NoTokenizer(JsonRow row, string field) =>
        row.Place.Error(field, $"a row of text needs a tokenizer; pass one to ExampleReader");

    private sealed record RowKind(
        string Name,
        string Field,
        ImmutableArray<string> Beside,
        Func<JsonRow, ITokenizer?, ChatFormat, Example> Read);
}
