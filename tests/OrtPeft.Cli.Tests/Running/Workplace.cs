using System.Globalization;
using OrtPeft.Models.Gpt2;
using OrtPeft.Tokenizers;
using OrtPeft.Tokenizers.Training;

namespace OrtPeft.Cli.Tests.Running;

/// <summary>A folder of its own for one test class: a tiny model in both layouts, a tokenizer, and rows.</summary>
public sealed class Workplace : IDisposable
{
    /// <summary>The width of the model's layers, as a constant for test cases.</summary>
    public const int LayerWidth = 128;

    private static readonly Gpt2Config Preset = Gpt2Presets.Find("tiny");

    private int _outputs;

    public Workplace()
    {
        Assert.Equal(0, CliRun.Of("init", "--preset", "tiny", "--seed", "3", "--out", Hf).ExitCode);
        var sentences = Enumerable.Range(0, 40)
            .Select(static i => $"the cat number {i} sat on the mat and the dog ran").ToArray();
        BpeTrainer.Train(sentences, new BpeTrainerOptions { VocabularySize = 300 }).Save(Hf);
        Assert.Equal(0, CliRun.Of("import", Hf, "--out", Model).ExitCode);
        Write("rows.jsonl", string.Join('\n', Enumerable.Range(0, 12).Select(Row)));
        Write("text.jsonl", string.Join('\n', sentences.Take(6).Select(static s => $$"""{"text":"{{s}}"}""")));
    }

    public static int Vocabulary => Preset.VocabularySize;

    public static int Context => Preset.MaxPositions;

    public static int Width => Preset.EmbeddingSize;

    public static int Layers => Preset.Layers;

    /// <summary>How many numbers LoRA of a rank trains on every <c>c_attn</c>, as people read it.</summary>
    public static string LoraParameters(int rank) =>
        (rank * 4 * Width * Layers).ToString("N0", CultureInfo.InvariantCulture);

    public string Folder { get; } = Directory.CreateTempSubdirectory("ortpeft-cli-").FullName;

    public string Hf => this["hf"];

    public string Model => this["model"];

    public string Rows => this["rows.jsonl"];

    public string this[string name] => Path.Combine(Folder, name);

    /// <summary>A path that no test has used.</summary>
    public string Fresh() => this[$"out{Interlocked.Increment(ref _outputs)}"];

    public string Write(string name, string text)
    {
        var path = this[name];
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>The model's folder copied, for a test to damage.</summary>
    public string CopyOf(string folder, string name)
    {
        Directory.CreateDirectory(this[name]);
        foreach (var file in Directory.EnumerateFiles(folder))
            File.Copy(file, Path.Combine(this[name], Path.GetFileName(file)));
        return this[name];
    }

    /// <summary>Leaves a model without the tokenizer that <c>init</c> made.</summary>
    public static void DeleteTokenizer(string folder)
    {
        foreach (var name in ByteLevelBpe.FilesOfSave)
            File.Delete(Path.Combine(folder, name));
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    /// <summary>Rows of 5 to 9 tokens.</summary>
    private static string Row(int i)
    {
        var ids = Enumerable.Range(0, 5 + (i % 5)).Select(j => ((i * 37) + (j * 11)) % 512);
        return $$"""{"input_ids":[{{string.Join(',', ids)}}]}""";
    }
}
