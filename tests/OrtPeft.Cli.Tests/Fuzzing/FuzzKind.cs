using OrtPeft.Testing;

namespace OrtPeft.Cli.Tests.Fuzzing;

/// <summary>Files of one kind: which are damaged, how, and what reads them.</summary>
/// <param name="Name">What reports call the kind.</param>
/// <param name="Weight">How many of each 20 inputs are of the kind.</param>
/// <param name="Seeds">Good files, by the folders that they stand in; each is copied with what is beside it.</param>
/// <param name="Damage">Makes bad bytes of a file's good ones.</param>
/// <param name="Verbs">Command lines over the damaged file, as far as each succeeds.</param>
internal sealed record FuzzKind(
    string Name,
    int Weight,
    Func<FuzzPlace, IReadOnlyList<string>> Seeds,
    Func<byte[], Random, byte[]> Damage,
    Func<FuzzPlace, string, IReadOnlyList<string[]>> Verbs)
{
    private static readonly string[] Graphs =
    [
        "t113_hf_l1_op16_nofold_static.onnx", "t113_nano_op9_static.onnx", "hf442_g2l_past_op17.onnx",
        "ortopt_extended_hf442_g2l_nopast_op13.onnx", "t113_nano_nobias_op14_keepinits.onnx",
        "hf442_g2l_idsonly_op15.onnx",
    ];

    public static IReadOnlyList<FuzzKind> All { get; } =
    [
        new("onnx", 5, static p => [At(p, "onnx", "model.onnx"), .. Graphs.Select(Fixtures.Graph)], WireDamage.Apply,
            static (p, file) =>
            [
                ["inspect", file], Eval(p, file), Train(file, file, "--data", p.Rows),
                [
                    "merge", file, "--adapter", FuzzPlace.TrainedOf(Here(file)), "--out", Out(file, "merged"),
                    "--threads", "1",
                ],
            ]),
        new("adapter config", 2, static p => In(p, "adapter_config.json", "adapter", "ia3", "prompt", "dora"), Json,
            OfAdapter),
        new("adapter weights", 2, static p => In(p, "adapter_model.safetensors", "adapter", "ia3", "prompt", "dora"),
            SafetensorsDamage.Apply, OfAdapter),
        new("base weights", 1, static p => In(p, "model.safetensors", "gpt2", "llama", "qwen2"),
            SafetensorsDamage.Apply, OfModel),
        new("config.json", 2, static p => In(p, "config.json", "gpt2", "llama", "qwen2"), Json, OfModel),
        new("tokenizer", 1, static p =>
            [
                .. In(p, "tokenizer.json", "gpt2"), .. In(p, "tokenizer_config.json", "gpt2"),
                .. In(p, "vocab.json", "gpt2"), .. In(p, "merges.txt", "gpt2"),
            ],
            Json,
            static (p, file) => [["eval", p["onnx"], "--tokenizer", Here(file), "--data", p.Text, "--threads", "1"]]),
        new("checkpoint", 1, static p =>
            [.. In(p, "checkpoint.safetensors", "run"), .. In(p, "metrics.jsonl", "run")],
            static (bytes, random) => bytes[0] == '{' ? ByteDamage.Apply(bytes, random)
                : SafetensorsDamage.Apply(bytes, random),
            static (p, file) =>
            [
                [
                    "train", p["onnx"], "--data", p.Rows, "--out", Here(file), "--steps", "1", "--rank", "2",
                    "--threads", "1", "--resume",
                ],
            ]),
        new("artifacts", 3, static p =>
            [
                At(p, "artifacts", "artifacts.json"), At(p, "artifacts", "artifacts.json"),
                At(p, "artifacts", "training_model.onnx"), At(p, "artifacts", "optimizer_model.onnx"),
                At(p, "artifacts", "eval_model.onnx"),
            ],
            static (bytes, random) => bytes[0] == '{' ? Json(bytes, random) : WireDamage.Apply(bytes, random),
            static (p, file) => [Train(file, Here(file), "--data", p.Rows, "--eval-data", p.Rows)]),
        new("rows", 2, static p => [p.Rows, p.Text], Lines, static (p, file) =>
            [
                ["eval", p["onnx"], "--tokenizer", p["gpt2"], "--data", file, "--threads", "1"],
                Train(file, p["onnx"], "--tokenizer", p["gpt2"], "--data", file),
            ]),
        new("ort checkpoint", 1, static p => [At(p, "device", "checkpoint")], ByteDamage.Number, static (p, file) =>
            [
                ["adapter-from-checkpoint", file, "--artifacts", p["device"], "--out", Out(file, "adapter")],
            ]),
    ];

    private static IReadOnlyList<string[]> OfAdapter(FuzzPlace p, string file) =>
    [
        Eval(p, p["onnx"], "--adapter", Here(file)),
        Train(file, p["onnx"], "--data", p.Rows, "--init-adapter", Here(file)),
        ["merge", p["onnx"], "--adapter", Here(file), "--out", Out(file, "merged"), "--threads", "1"],
    ];

    private static IReadOnlyList<string[]> OfModel(FuzzPlace p, string file) =>
        [["inspect", Here(file)], Eval(p, Here(file)), Train(file, Here(file), "--data", p.Rows)];

    private static string[] Eval(FuzzPlace p, string model, params string[] more) =>
        ["eval", model, "--data", p.Rows, "--threads", "1", .. more];

    private static string[] Train(string file, string model, params string[] more) =>
        ["train", model, "--out", FuzzPlace.TrainedOf(Here(file)), "--steps", "1", "--threads", "1", .. more];

    private static string At(FuzzPlace p, string folder, string file) => Path.Combine(p[folder], file);

    private static string[] In(FuzzPlace p, string file, params string[] folders) =>
        [.. folders.Select(folder => At(p, folder, file)).Where(File.Exists)];

    private static string Here(string file) => Path.GetDirectoryName(file)!;

    private static string Out(string file, string name) => Path.Combine(Here(file), name);

    private static byte[] Json(byte[] bytes, Random random) => random.Next(4) == 0 || bytes[0] != '{'
        ? ByteDamage.Apply(bytes, random)
        : JsonDamage.Apply(bytes, random);

    /// <summary>Damages one line.</summary>
    private static byte[] Lines(byte[] bytes, Random random)
    {
        var lines = System.Text.Encoding.UTF8.GetString(bytes).Split('\n');
        var at = random.Next(lines.Length);
        var line = System.Text.Encoding.UTF8.GetBytes(lines[at]);
        if (line.Length == 0)
            return ByteDamage.Apply(bytes, random);
        var before = string.Concat(lines[..at].Select(static l => l + "\n"));
        return [.. System.Text.Encoding.UTF8.GetBytes(before), .. Json(line, random)];
    }
}
