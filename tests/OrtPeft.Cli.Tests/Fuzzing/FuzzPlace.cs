using OrtPeft.Cli.Tests.Running;
using OrtPeft.Models;
using OrtPeft.Models.Gpt2;
using OrtPeft.Models.Initialization;
using OrtPeft.Models.Llama;
using OrtPeft.Models.Qwen2;
using OrtPeft.Tokenizers.Training;

namespace OrtPeft.Cli.Tests.Fuzzing;

/// <summary>Good files of every kind that the command reads, the smallest there are.</summary>
public sealed class FuzzPlace : IDisposable
{
    private const int Vocabulary = 300;

    private static readonly string[] Sentences =
        [.. Enumerable.Range(0, 20).Select(static i => $"the cat number {i} sat on the mat and the dog ran")];

    public FuzzPlace()
    {
        var gpt2 = Gpt2Presets.Find("tiny") with
        {
            VocabSize = Vocabulary,
            Positions = 32,
            EmbeddingSize = 8,
            Layers = 1,
            Heads = 2,
            InnerSize = 16,
        };
        Make("gpt2", gpt2);
        Make("llama", Small(new LlamaConfig()));
        Make("qwen2", Small(Qwen2Presets.Find("tiny-qwen2")));
        Run("import", this["gpt2"], "--out", this["onnx"]);
        Write("rows.jsonl", """
            {"input_ids":[1,2,3,4,5]}
            {"input_ids":[6,7,8],"labels":[-100,7,8],"attention_mask":[1,1,1]}
            """);
        Write("text.jsonl", """
            {"text":"the cat sat"}
            {"prompt":"the dog","completion":" ran on"}
            """);
        Train("adapter", "--rank", "2");
        Train("ia3", "--method", "ia3");
        Train("prompt", "--method", "prompt-tuning", "--num-virtual-tokens", "2");
        Train("dora", "--rank", "2", "--dora", "--target", "c_attn");
        Train("run", "--rank", "2");
        Run("artifacts", this["onnx"], "--out", this["artifacts"], "--rank", "2");
        Run("artifacts", this["onnx"], "--out", this["device"], "--rank", "2", "--runtime", "ort-training");
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("ortpeft-fuzz-").FullName;

    public string Rows => this["rows.jsonl"];

    public string Text => this["text.jsonl"];

    public string this[string name] => Path.Combine(Folder, name);

    /// <summary>Where an input's training writes to, beside the input's folder.</summary>
    public static string TrainedOf(string folder) => $"{folder}-trained";

    /// <summary>A folder for one input: a copy of a file, with what stands beside it in a folder of its own.</summary>
    public string Copy(int number, string source)
    {
        var folder = Directory.CreateDirectory(this[$"in{number}"]).FullName;
        var home = Path.GetDirectoryName(source)!;
        var files = Path.GetDirectoryName(home) == Folder ? Directory.EnumerateFiles(home) : [source];
        foreach (var file in files)
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        return folder;
    }

    /// <summary>Removes an input and what was made of it.</summary>
    public static void Remove(string folder)
    {
        foreach (var made in new[] { folder, TrainedOf(folder) }.Where(Directory.Exists))
            Directory.Delete(made, recursive: true);
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private static LlamaConfig Small(LlamaConfig config) => config with
    {
        VocabSize = Vocabulary,
        Positions = 32,
        HiddenSize = 8,
        IntermediateSize = 12,
        Layers = 1,
        Heads = 2,
        KeyValueHeads = 1,
        HeadDim = null,
    };

    private void Make(string name, ModelConfig config)
    {
        ModelInitializer.Write(config, 1, this[name]);
        BpeTrainer.Train(Sentences, new BpeTrainerOptions { VocabularySize = Vocabulary }).Save(this[name]);
    }

    private void Train(string name, params string[] options) => Run(
        ["train", this["onnx"], "--data", Rows, "--out", this[name], "--steps", "1", "--threads", "1", .. options]);

    private void Write(string name, string text) => File.WriteAllText(this[name], text);

    private static void Run(params string[] args)
    {
        var run = CliRun.Of(args);
        Assert.True(run.ExitCode == 0, $"{string.Join(' ', args)}: {run.Error}");
    }
}
