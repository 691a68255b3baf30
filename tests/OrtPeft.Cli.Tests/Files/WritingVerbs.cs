using OrtPeft.Cli.Tests.Running;
using OrtPeft.Training.Reports;

namespace OrtPeft.Cli.Tests.Files;

/// <summary>Every verb that writes a folder, on a small model, in two variants that give other content.</summary>
public sealed class WritingVerbs : IDisposable
{
    private readonly Dictionary<string, string[]> _written = [];

    public WritingVerbs()
    {
        Adapter(First, "1");
        Adapter(Second, "2");
        Artifacts = Place.Fresh();
        CliRun.Of("artifacts", Place.Model, "--out", Artifacts, "--rank", "1", "--target", "c_attn").Succeeded();
        OtherHf = Place.Fresh();
        CliRun.Of("init", "--preset", "tiny", "--seed", "8", "--out", OtherHf).Succeeded();
    }

    public static IReadOnlyList<string> Names { get; } =
    [
        "init", "import", "quantize", "merge", "export onnx-adapter", "export genai", "mix", "artifacts ort", "artifacts ort-training", "train",
        "train artifacts", "adapter-from-checkpoint",
    ];

    public Workplace Place { get; } = new();

    public string First => Place["first"];

    public string Second => Place["second"];

    /// <summary>A folder of artifacts for plain sessions.</summary>
    public string Artifacts { get; }

    private string OtherHf { get; }

    /// <summary>The words of a verb's run.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="target">The folder that is written.</param>
    /// <param name="variant">0 or 1.</param>
    /// <param name="steps">How long verbs train.</param>
    public string[] Words(string name, string target, int variant = 0, int steps = 2) =>
    [
        .. name switch
        {
            "init" => (string[])["init", "--preset", "tiny", "--seed", $"{variant}"],
            "import" => ["import", variant == 0 ? Place.Hf : OtherHf],
            "quantize" => variant == 0
                ? ["quantize", Place.Model, "--loftq", "--rank", "1"]
                : ["quantize", Place.Model, "--bits", "8"],
            "merge" => ["merge", Place.Model, "--adapter", variant == 0 ? First : Second],
            "export onnx-adapter" =>
            [
                "export", Place.Model, "--format", "onnx-adapter", "--adapter", $"a={(variant == 0 ? First : Second)}",
            ],
            "export genai" => ["export", Place.Model, "--format", "genai", "--adapter", variant == 0 ? First : Second],
            "mix" => ["mix", Place.Model, "--adapter", variant == 0 ? First : Second],
            "artifacts ort" => ["artifacts", Place.Model, "--rank", "1", "--target", "c_attn", "--seed", $"{variant}"],
            "artifacts ort-training" =>
            [
                "artifacts", Place.Model, "--runtime", "ort-training", "--frozen-weights", "file", "--rank", "1",
                "--target", "c_attn", "--seed", $"{variant}",
            ],
            "train" => [.. Training(Place.Model, steps), "--rank", $"{variant + 1}", "--target", "c_attn"],
            "train artifacts" => [.. Training(Artifacts, steps), "--lr", variant == 0 ? "0.1" : "0.2"],
            "adapter-from-checkpoint" =>
            [
                "adapter-from-checkpoint", Path.Combine(variant == 0 ? First : Second, "adapter_model.safetensors"),
                "--peft-config", Path.Combine(variant == 0 ? First : Second, "adapter_config.json"),
            ],
            _ => throw new ArgumentOutOfRangeException(nameof(name), name, "no such verb"),
        },
        "--out",
        target,
    ];

    /// <summary>The names of what a verb leaves in an empty folder: not a list, but what it did. A model card is not among
    /// them: it gives way to what is there.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    public IReadOnlyList<string> WrittenBy(string name)
    {
        if (!_written.TryGetValue(name, out var written))
        {
            var folder = Place.Fresh();
            CliRun.Of(Words(name, folder)).Succeeded();
            written = [.. FolderContent.Of(folder).Keys.Where(static file => file != ModelCard.FileName)];
            _written.Add(name, written);
        }

        return written;
    }

    public void Dispose() => Place.Dispose();

    private string[] Training(string model, int steps) =>
    [
        "train", model, "--data", Place.Rows, "--steps", $"{steps}", "--checkpoint-steps", "1", "--threads", "1",
    ];

    private void Adapter(string folder, string rank)
    {
        string[] options = ["--rank", rank, "--target", "c_attn", "--lr", "0.05"];
        CliRun.Of([.. Training(Place.Model, steps: 2), .. options, "--out", folder]).Succeeded();
    }
}
