using System.Text.Json;

namespace OnDevice.Plain;

/// <summary>Reads rows of token ids and checks them, so that what trains need not.</summary>
internal static class Rows
{
    /// <summary>All rows of a JSON Lines file.</summary>
    /// <exception cref="FormatException">A row cannot be used; the message says which one, and why.</exception>
    public static JsonElement[] Read(string path)
    {
        JsonElement[] rows =
        [
            .. File.ReadLines(path).Index()
                .Where(static line => !string.IsNullOrWhiteSpace(line.Item))
                .Select(line => Row($"{path}:{line.Index + 1}", line.Item)),
        ];
        return rows.Length > 0 ? rows : throw new FormatException($"{path} holds no rows.");
    }

    private static JsonElement Row(string place, string line)
    {
        JsonElement row;
        try
        {
            row = JsonSerializer.Deserialize<JsonElement>(line);
        }
        catch (JsonException e)
        {
            throw new FormatException($"{place}: not valid JSON; give one JSON object a line.", e);
        }

        if (row.ValueKind != JsonValueKind.Object || !row.TryGetProperty("input_ids", out var ids))
            throw new FormatException($"{place}: no input_ids; this sample reads token ids only, Trainer reads text.");
        Check(place, "input_ids", ids, length: null);
        foreach (var name in (string[])["labels", "attention_mask"])
        {
            if (row.TryGetProperty(name, out var numbers))
                Check(place, name, numbers, ids.GetArrayLength());
        }

        return row;
    }

    private static void Check(string place, string name, JsonElement numbers, int? length)
    {
        if (numbers.ValueKind != JsonValueKind.Array || numbers.EnumerateArray().Any(static n =>
            n.ValueKind != JsonValueKind.Number || !n.TryGetInt64(out _)))
        {
            throw new FormatException($"{place}: {name} is not a list of whole numbers.");
        }

        var found = numbers.GetArrayLength();
        if (length is { } wanted && found != wanted)
            throw new FormatException($"{place}: {name} has {found} numbers, and input_ids {wanted}.");
        if (found < 2)
            throw new FormatException($"{place}: {name} needs two numbers or more.");
    }
}
