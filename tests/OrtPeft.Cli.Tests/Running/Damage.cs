using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;

namespace OrtPeft.Cli.Tests.Running;

/// <summary>Ways in which files go bad.</summary>
internal static class Damage
{
    /// <summary>Makes every number of a float32 safetensors file NaN.</summary>
    public static void FillWithNaN(string safetensors)
    {
        var bytes = File.ReadAllBytes(safetensors);
        var start = 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
        MemoryMarshal.Cast<byte, float>(bytes.AsSpan(start)).Fill(float.NaN);
        File.WriteAllBytes(safetensors, bytes);
    }

    /// <summary>Changes an entry of a safetensors file's metadata; the header's length fits again.</summary>
    public static void SetMetadata(string safetensors, string key, string value)
    {
        var bytes = File.ReadAllBytes(safetensors);
        var end = sizeof(ulong) + (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
        var header = JsonNode.Parse(bytes.AsSpan()[sizeof(ulong)..end])!;
        header["__metadata__"]![key] = value;
        var text = Encoding.UTF8.GetBytes(header.ToJsonString());
        var length = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteInt64LittleEndian(length, text.Length);
        File.WriteAllBytes(safetensors, [.. length, .. text, .. bytes.AsSpan(end)]);
    }

    /// <summary>Cuts a file off.</summary>
    public static void Truncate(string path, int length)
    {
        using var file = File.OpenWrite(path);
        file.SetLength(length);
    }

    /// <summary>Replaces the last occurrence of a text by another of equal length.</summary>
    public static void ReplaceLast(string path, string text, string by)
    {
        Assert.Equal(text.Length, by.Length);
        var latin1 = Encoding.Latin1;
        var content = latin1.GetString(File.ReadAllBytes(path));
        var at = content.LastIndexOf(text, StringComparison.Ordinal);
        File.WriteAllBytes(path, latin1.GetBytes(content.Remove(at, text.Length).Insert(at, by)));
    }

    /// <summary>Replaces a text of equal length everywhere in a file.</summary>
    public static void Replace(string path, string text, string by)
    {
        Assert.Equal(text.Length, by.Length);
        var latin1 = Encoding.Latin1;
        var content = latin1.GetString(File.ReadAllBytes(path));
        File.WriteAllBytes(path, latin1.GetBytes(content.Replace(text, by, StringComparison.Ordinal)));
    }
}
