using System.IO.Compression;
using System.Text;
using System.Text.Json;

namespace OrtPeft.Tokenizers.Tests.Reference;

/// <summary>The real GPT-2 tokenizer and the goldens made with it; see <c>Data/SOURCES.md</c>.</summary>
public sealed class Gpt2Fixture : IDisposable
{
    private readonly TempFolder _folder = new();

    public Gpt2Fixture()
    {
        _folder.Write("encoder.json", Decompress("encoder.json"));
        _folder.Write("vocab.bpe", Decompress("vocab.bpe"));
        Tokenizer = (ByteLevelBpe)TokenizerFolder.Load(_folder.Path);
    }

    public ByteLevelBpe Tokenizer { get; }

    public string Folder => _folder.Path;

    public static IReadOnlyList<Golden> Goldens { get; } = ReadGoldens();

    public void Dispose() => _folder.Dispose();

    private static List<Golden> ReadGoldens()
    {
        using var document = JsonDocument.Parse(Decompress("goldens.json"));
        var goldens = new List<Golden>();
        foreach (var golden in document.RootElement.EnumerateArray())
        {
            var name = golden.GetProperty("name").GetString() ?? "";
            int[] ids = [.. golden.GetProperty("ids").EnumerateArray().Select(static id => id.GetInt32())];
            goldens.Add(new Golden(name, ReadUtf16(golden.GetProperty("utf16").GetBytesFromBase64()), ids));
        }

        return goldens;
    }

    /// <summary>Not <c>Encoding.Unicode</c>, which would replace the lone surrogates.</summary>
    private static string ReadUtf16(byte[] bytes)
    {
        var text = new StringBuilder(bytes.Length / 2);
        for (var i = 0; i < bytes.Length; i += 2)
            text.Append((char)(bytes[i] | (bytes[i + 1] << 8)));
        return text.ToString();
    }

    private static byte[] Decompress(string name)
    {
        var file = Path.Combine(AppContext.BaseDirectory, "Data", $"{name}.br");
        using var source = new BrotliStream(File.OpenRead(file), CompressionMode.Decompress);
        using var bytes = new MemoryStream();
        source.CopyTo(bytes);
        return bytes.ToArray();
    }
}
