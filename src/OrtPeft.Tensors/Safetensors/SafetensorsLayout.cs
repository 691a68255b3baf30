using System.Buffers.Binary;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace OrtPeft.Tensors.Safetensors;

/// <summary>Where a written file's tensors go, and the header that says so.</summary>
internal static class SafetensorsLayout
{
    private const int Alignment = 8;

    /// <summary>Wider types first, so that all are aligned, then by name.</summary>
    public static List<(string Name, Tensor Tensor)> Order(IEnumerable<(string Name, Tensor Tensor)> tensors)
    {
        var ordered = new List<(string Name, Tensor Tensor)>();
        var names = new HashSet<string>(StringComparer.Ordinal) { "__metadata__" };
        foreach (var (name, tensor) in tensors)
        {
            if (!names.Add(name))
                throw new ArgumentException($"The tensor name '{name}' is reserved or used twice.", nameof(tensors));
            if (SafetensorsDtypes.RankOf(tensor.Type) < 0)
                throw new ArgumentException($"'{name}': safetensors has no type for {tensor.Type}.", nameof(tensors));
            ordered.Add((name, tensor));
        }

        ordered.Sort(static (a, b) =>
        {
            var byType = SafetensorsDtypes.RankOf(b.Tensor.Type).CompareTo(SafetensorsDtypes.RankOf(a.Tensor.Type));
            return byType != 0 ? byType : string.CompareOrdinal(a.Name, b.Name);
        });
        return ordered;
    }

    public static void WriteHeader(
        Stream target,
        IReadOnlyList<(string Name, Tensor Tensor)> ordered,
        IReadOnlyDictionary<string, string>? metadata)
    {
        using var json = new MemoryStream();
        WriteJson(json, ordered, metadata);
        while (json.Length % Alignment != 0)
            json.WriteByte((byte)' ');
        Span<byte> length = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)json.Length);
        target.Write(length);
        json.WriteTo(target);
    }

    private static void WriteJson(
        Stream target,
        IReadOnlyList<(string Name, Tensor Tensor)> ordered,
        IReadOnlyDictionary<string, string>? metadata)
    {
        var options = new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using var writer = new Utf8JsonWriter(target, options);
        writer.WriteStartObject();
        if (metadata is not null)
            WriteMetadata(writer, metadata);
        var offset = 0L;
        foreach (var (name, tensor) in ordered)
        {
            writer.WriteStartObject(name);
            writer.WriteString("dtype", SafetensorsDtypes.NameOf(tensor.Type));
            WriteNumbers(writer, "shape", [.. tensor.Dims]);
            WriteNumbers(writer, "data_offsets", [offset, offset + tensor.Data.Length]);
            writer.WriteEndObject();
            offset += tensor.Data.Length;
        }

        writer.WriteEndObject();
    }

    private static void WriteMetadata(Utf8JsonWriter writer, IReadOnlyDictionary<string, string> metadata)
    {
        writer.WriteStartObject("__metadata__");
        foreach (var (key, value) in metadata.OrderBy(static pair => pair.Key, StringComparer.Ordinal))
            writer.WriteString(key, value);
        writer.WriteEndObject();
    }

    private static void WriteNumbers(Utf8JsonWriter writer, string name, ReadOnlySpan<long> numbers)
    {
        writer.WriteStartArray(name);
        foreach (var number in numbers)
            writer.WriteNumberValue(number);
        writer.WriteEndArray();
    }
}
