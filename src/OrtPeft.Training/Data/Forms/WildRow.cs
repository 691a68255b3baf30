using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using OrtPeft.Onnx.Decoders;

namespace OrtPeft.Training.Data.Forms;

/// <summary>
/// Brings rows of other data sets' forms to the forms that are read. The first row of the table whose fields are all
/// there decides; <c>messages</c>, <c>prompt</c>, <c>completion</c> and <c>input_ids</c> come before any of them.
/// </summary>
internal static class WildRow
{
    private static readonly string[] Read = [DecoderNames.Ids, "messages", "prompt", "completion"];

    /// <summary>Fields that may hold the JSON text of what they should hold, as columns of tables do.</summary>
    private static readonly string[] Structured =
    [
        "messages", "conversations", "history", "tools", "documents", "chat_template_kwargs", DecoderNames.Ids,
        DecoderNames.Labels, DecoderNames.Mask, DecoderNames.Positions,
    ];

    private static readonly ImmutableArray<WildForm> Table =
    [
        new("ShareGPT conversations", ["conversations"], ShareGpt.Messages),
        new("ShareGPT conversations", ["conversation"], ShareGpt.Messages),
        new("Alpaca instructions", ["instruction", "output"], Instructions.Messages),
        new("Alpaca instructions", ["instruction", "response"], Instructions.Messages),
        new("questions and answers", ["question", "answer"], Instructions.Messages),
        new("queries and responses", ["query", "response"], Instructions.Messages),
    ];

    /// <summary>Reads a row; <see cref="JsonRow.Found"/> names the form that it had.</summary>
    /// <param name="place">Where it stands.</param>
    /// <param name="line">Its bytes.</param>
    /// <param name="names">Own names of fields.</param>
    public static JsonRow Parse(DataPlace place, JsonLine line, OwnNames names)
    {
        var row = JsonRow.Parse(place, line.Bytes, line.Column);
        try
        {
            if (names.IsEmpty && !IsWild(row))
                return row;
            using (row)
                return Rewritten(row, names);
        }
        catch (Exception error) when (error is InvalidOperationException or ArgumentException)
        {
            // Strings and names are looked at when they are asked for, not when the row is parsed.
            row.Dispose();
            throw place.Error($"a string is not valid Unicode, or a name comes twice; correct the row", error);
        }
    }

    private static bool IsWild(JsonRow row) =>
        Structured.Any(field => row.Element(field)?.ValueKind == JsonValueKind.String)
        || (row.Element("messages") is { } messages && ShareGpt.IsOne(messages))
        || (!Read.Any(row.Has) && Table.Any(form => form.Fields.All(row.Has)));

    private static JsonRow Rewritten(JsonRow row, OwnNames names)
    {
        var fields = row.ToObject();
        names.Apply(row.Place, fields);
        foreach (var field in Structured)
        {
            if (fields[field] is JsonValue value && value.GetValueKind() == JsonValueKind.String)
                fields[field] = FieldValue.Parse(row.Place, field, value.GetValue<string>());
        }

        string? found = null;
        if (fields["messages"] is JsonArray turns && ShareGpt.IsOne(turns))
        {
            found = Table[0].Name;
            fields["messages"] = ShareGpt.Turns(row.Place, "messages", fields);
        }
        else if (!Read.Any(field => fields[field] is not null)
            && Table.FirstOrDefault(form => form.Fields.All(field => fields[field] is not null)) is { } form)
        {
            found = form.Name;
            fields["messages"] = form.Messages(row.Place, form.Fields, fields);
        }

        return JsonRow.Of(row.Place, fields, found);
    }

    /// <summary>A form of rows.</summary>
    /// <param name="Name">What it is called.</param>
    /// <param name="Fields">The fields that tell it.</param>
    /// <param name="Messages">Takes what it reads out of the row, and gives the turns.</param>
    private sealed record WildForm(
        string Name,
        ImmutableArray<string> Fields,
        Func<DataPlace, ImmutableArray<string>, JsonObject, JsonArray> Messages);
}
