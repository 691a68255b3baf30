using OrtPeft.Tokenizers.Training;

namespace OrtPeft.Cli.Tests.Running;

/// <summary>A folder of its own for one test class: a tiny model in both layouts, a tokenizer, and rows.</summary>
public sealed class Workplace : IDisposable
{
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

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    /// <summary>Rows of 5 to 9 tokens.</summary>
    private static string Row(int i)
    {
        var ids = Enumerable.Range(0, 5 + (i % 5)).Select(j => ((i * 37) + (j * 11)) % 512);
        return $$"""{"input_ids":[{{string.Join(',', ids)}}]}""";
    }
}
