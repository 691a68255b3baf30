using System.Text.Encodings.Web;
using System.Text.Json;

namespace OrtPeft.Tokenizers.Serialization;

/// <summary>Writes a tokenizer's files, each under a temporary name first so that none is ever half written.</summary>
internal static class TokenizerFolderWriter
{
    private static readonly JsonWriterOptions Json = new()
    {
        Indented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The names of all files that are written.</summary>
    public static IReadOnlyList<string> Files { get; } =
        [FileNames.Vocabulary, FileNames.Merges, FileNames.Config, FileNames.TokenizerJson];

    public static void Write(BpeModel model, string folder)
    {
        Directory.CreateDirectory(folder);
        WriteJson(folder, FileNames.Vocabulary, json => VocabularyWriter.Write(json, model));
        WriteFile(folder, FileNames.Merges, file => WriteMerges(file, model));
        WriteJson(folder, FileNames.Config, json => TokenizerConfigWriter.Write(json, model));
        WriteJson(folder, FileNames.TokenizerJson, json => TokenizerJsonWriter.Write(json, model));
    }

    private static void WriteMerges(Stream file, BpeModel model)
    {
        using var text = new StreamWriter(file, leaveOpen: true) { NewLine = "\n" };
        text.WriteLine("#version: 0.2");
        foreach (var merge in model.Merges)
            text.WriteLine($"{model.SpellingOf(merge.Left)} {model.SpellingOf(merge.Right)}");
    }

    private static void WriteJson(string folder, string name, Action<Utf8JsonWriter> write) =>
        WriteFile(folder, name, file =>
        {
            using var json = new Utf8JsonWriter(file, Json);
            write(json);
        });

    private static void WriteFile(string folder, string name, Action<Stream> write)
    {
        var temporary = Path.Combine(folder, $"{name}.{Guid.NewGuid():N}.tmp");
        try
        {
            using (var file = File.Create(temporary))
            {
                write(file);
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, Path.Combine(folder, name), overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }
}
