using System.Text;
using System.Text.Json;

namespace OrtPeft.Training.Data.Containers;

/// <summary>
/// Reads tables of text (CSV by RFC 4180, or with tabs): the first record names the fields, and each other one becomes
/// a JSON object of strings. A field without a character and without quotes is absent.
/// </summary>
internal static class DelimitedText
{
    public static IEnumerable<JsonLine> Read(Stream stream, string file, char separator)
    {
        var strict = new UTF8Encoding(false, throwOnInvalidBytes: true);
        using var reader = new StreamReader(stream, strict, detectEncodingFromByteOrderMarks: true, 1 << 16);
        var records = new RecordReader(reader, file, separator);
        var names = Next(records, file);
        if (names is null)
            yield break;
        CheckNames(names, new DataPlace(file, records.Line));
        while (Next(records, file) is { } fields)
        {
            if (fields is [null])
                continue; // a blank line
            if (fields.Length != names.Length)
            {
                throw new DataPlace(file, records.Line).Error(
                    $"the record has {fields.Length} fields; the first line names {names.Length}");
            }

            yield return new JsonLine(records.Line, Json(names, fields));
        }
    }

    /// <summary>The separator of a table's fields where its name does not tell: a tab, or else a comma, of its first
    /// line. Null where that has neither.</summary>
    /// <param name="first">The first bytes.</param>
    public static char? Separator(ReadOnlySpan<byte> first)
    {
        var end = first.IndexOfAny((byte)'\r', (byte)'\n');
        var names = end < 0 ? first : first[..end];
        return names.Contains((byte)'\t') ? '\t' : names.Contains((byte)',') ? ',' : null;
    }

    private static string?[]? Next(RecordReader records, string file)
    {
        try
        {
            return records.Read();
        }
        catch (DecoderFallbackException error)
        {
            throw new DataPlace(file, records.Line).Error($"not valid Unicode; write the file as UTF-8", error);
        }
    }

    private static void CheckNames(string?[] names, DataPlace place)
    {
        if (names.Contains(null))
            throw place.Error($"a field has no name; name each in the first line");
        if (names.GroupBy(static n => n, StringComparer.Ordinal).FirstOrDefault(static g => g.Count() > 1) is { } twice)
            throw place.Error($"two fields are named {DataPlace.Quote(twice.Key!)}; give each a name of its own");
    }

    private static byte[] Json(string?[] names, string?[] fields)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            foreach ((var name, var value) in names.Zip(fields))
            {
                if (value is not null)
                    json.WriteString(name!, value); // names were checked
            }

            json.WriteEndObject();
        }

        return bytes.ToArray();
    }
}
