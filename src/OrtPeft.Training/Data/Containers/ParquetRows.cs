using System.Collections;
using System.Globalization;
using System.Text.Json;
using Parquet;
using Parquet.Serialization;

namespace OrtPeft.Training.Data.Containers;

/// <summary>
/// Reads the rows of a Parquet file, nested ones included, a row group in memory at a time. Rows count from 1. What is
/// null, and a list without elements, is absent.
/// </summary>
internal static class ParquetRows
{
    private const int DepthLimit = 64;
    private const string Known = "text, numbers, booleans, times, lists and structures";

    public static IEnumerable<JsonLine> Read(PeekedStream stream, string file)
    {
        if (stream.Rest.CanSeek)
            return Rows(stream.Rest, file);
        return Copied(stream, file);
    }

    /// <summary>Parquet is read from its end: what cannot be sought is put into a temporary file first.</summary>
    private static IEnumerable<JsonLine> Copied(PeekedStream stream, string file)
    {
        using var copy = new FileStream(
            Path.GetTempFileName(),
            FileMode.Create,
            FileAccess.ReadWrite,
            FileShare.None,
            1 << 16,
            FileOptions.DeleteOnClose);
        stream.CopyTo(copy);
        foreach (var row in Rows(copy, file))
            yield return row;
    }

    private static IEnumerable<JsonLine> Rows(Stream content, string file)
    {
        var groups = Try(file, async () =>
        {
            content.Position = 0;
            var reader = await ParquetReader.CreateAsync(content).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
                return reader.RowGroupCount;
        });
        var number = 0;
        for (var group = 0; group < groups; group++)
        {
            var current = group;
            var rows = Try(file, async () =>
            {
                content.Position = 0;
                var read = ParquetSerializer.DeserializeUntypedAsync(content, null, current);
                return (await read.ConfigureAwait(false)).Data;
            });
            foreach (var row in rows)
                yield return new JsonLine(++number, Json(new DataPlace(file, number), row));
        }
    }

    private static T Try<T>(string file, Func<Task<T>> read)
    {
        try
        {
            return Task.Run(read).GetAwaiter().GetResult();
        }
        catch (Exception error) when (error is not (OutOfMemoryException or TrainingDataException))
        {
            // The library tells damage by exceptions of many types.
            throw new DataPlace(file, 0).Error(
                $"the Parquet file cannot be read ({DataPlace.Shown(error.Message)}); get or write it anew", error);
        }
    }

    private static byte[] Json(DataPlace place, Dictionary<string, object> row)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
            Write(json, place, row, 0);
        return bytes.ToArray();
    }

    private static void Write(Utf8JsonWriter json, DataPlace place, object? value, int depth)
    {
        if (depth > DepthLimit)
            throw place.Error($"the row has more than {DepthLimit} levels");
        switch (value)
        {
            case null: json.WriteNullValue(); break;
            case string text: json.WriteStringValue(text); break;
            case ReadOnlyMemory<char> text: json.WriteStringValue(text.Span); break;
            case bool truth: json.WriteBooleanValue(truth); break;
            case sbyte or short or int or long or byte or ushort or uint or ulong:
                json.WriteNumberValue(Convert.ToDecimal(value, CultureInfo.InvariantCulture));
                break;
            case decimal number: json.WriteNumberValue(number); break;
            case float number when float.IsFinite(number): json.WriteNumberValue(number); break;
            case double number when double.IsFinite(number): json.WriteNumberValue(number); break;
            case DateTime time: json.WriteStringValue(time); break;
            case IDictionary<string, object> fields: WriteFields(json, place, fields, depth); break;
            case IEnumerable list when value is not byte[]: WriteList(json, place, list, depth); break;
            default: throw place.Error($"a column holds {value.GetType().Name} values; expected {Known}");
        }
    }

    private static void WriteFields(
        Utf8JsonWriter json, DataPlace place, IDictionary<string, object> fields, int depth)
    {
        json.WriteStartObject();
        foreach ((var name, var value) in fields)
        {
            json.WritePropertyName(name);
            Write(json, place, value, depth + 1);
        }

        json.WriteEndObject();
    }

    private static void WriteList(Utf8JsonWriter json, DataPlace place, IEnumerable list, int depth)
    {
        json.WriteStartArray();
        foreach (var element in list)
            Write(json, place, element, depth + 1);
        json.WriteEndArray();
    }
}
