// Writes docs/models.md: what was run with which family's models from which exporter, and what came of it. The fixtures of
// this repository are run, and those of other folders that hold graphs beside an expected.json with rows, each graph's loss
// by ONNX Runtime ("ort_loss") and the modules that HF PEFT adapts ("modules"). Build the command first:
//
//     dotnet build tools/OrtPeft.Cli -c Release
//     dotnet run scripts/ModelTable.cs -- [FOLDER ...]
#:property PublishAot=false

using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

var command = Environment.GetEnvironmentVariable("ORTPEFT_DLL") ?? "artifacts/bin/OrtPeft.Cli/release/ortpeft.dll";
var fixtures = Path.GetFullPath("tests/Fixtures");
var work = Directory.CreateTempSubdirectory("ortpeft-table-").FullName;
var lines = new List<(string Family, string From, string Line)>();
var letters = Path.Combine(work, "letters"); // a tokenizer with a token for each byte
Ortpeft("init", "--preset", "tiny", "--out", letters);
var types = Regex.Matches(File.ReadAllText("src/OrtPeft.Models/ModelFamilies.cs"), "^        \\(\"(\\w+)\", static", RegexOptions.Multiline)
    .Select(m => m.Groups[1].Value).ToList();
try
{
    var rows = Rows(Path.Combine(fixtures, "families", "rows.json"));
    foreach (var folder in Directory.GetDirectories(Path.Combine(fixtures, "families")).Order(StringComparer.Ordinal))
    {
        using var config = Json(Path.Combine(folder, "config.json"));
        using var golden = Json(Path.Combine(folder, "golden.json"));
        Run(config.RootElement.GetProperty("model_type").GetString()!, "HF folder", folder, rows,
            golden.RootElement.GetProperty("loss").GetDouble(), Names(golden.RootElement));
    }

    foreach (var (type, like, fields, extra) in Drawn())
        Run(type, "HF folder, drawn", DrawnLike(type, like, fields, extra), rows, null, null, "–");
    foreach (var type in types.Except(lines.Select(l => l.Family)))
        lines.Add((type, "HF folder", $"| {type} | HF folder | – | not run | | | | |"));
    foreach (var file in Directory.GetFiles(Path.Combine(fixtures, "gguf"), "*-*.gguf").Order(StringComparer.Ordinal))
    {
        var imported = Path.Combine(work, "gguf");
        Ortpeft("import", file, "--out", imported, "--overwrite");
        Run("llama", "llama.cpp", imported, rows, null, null, Path.GetFileName(file));
    }

    foreach (var folder in Directory.GetDirectories(Path.Combine(fixtures, "genai")).Where(f => File.Exists(Path.Combine(f, "model.onnx"))).Order(StringComparer.Ordinal))
        Run(Path.GetFileName(folder).Split('-')[0], "GenAI's builder", folder, rows, null, null);
    foreach (var file in Directory.GetFiles(Path.Combine(fixtures, "exports"), "*.onnx").Order(StringComparer.Ordinal))
        Run(FamilyOf(file), ExporterOf(file), file, rows, null, null);
    foreach (var folder in args)
        RunFolder(folder);
}
finally
{
    Directory.Delete(work, recursive: true);
}

var text = new StringBuilder("""
    # Models that were run

    Made by `dotnet run scripts/ModelTable.cs`, which runs the command over the tiny models of this repository and over
    folders of real exporters' graphs. **Loss**: the difference from what HF transformers or ONNX Runtime computes for the same
    rows, where that is known. **Names**: whether an adapter of all linear layers has HF PEFT's module names, where they are
    known. **Trains**: the loss before and after eight steps of LoRA. **Merged**: the difference between the merged model's loss
    and the adapted one's. **Generates**: whether the adapted model goes on from a prompt, and the merged one with the same
    words; a graph that has ONNX Runtime round activations to 8 bits rounds in other places once layers are merged, so that
    words of random models may differ. A refusal is one line that says why. Models of no file are drawn by the script.

    | family | from | file | loss | names | trains | merged | generates |
    |---|---|---|---|---|---|---|---|

    """.ReplaceLineEndings("\n"));
foreach (var (_, _, line) in lines.OrderBy(l => l.From.StartsWith("HF folder", StringComparison.Ordinal) && !l.From.EndsWith("fields", StringComparison.Ordinal) ? 0 : 1).ThenBy(l => l.Family, StringComparer.Ordinal).ThenBy(l => l.From, StringComparer.Ordinal))
    text.Append(line).Append('\n');
File.WriteAllText("docs/models.md", text.ToString());
Console.WriteLine($"Wrote docs/models.md: {lines.Count} rows.");

void RunFolder(string folder)
{
    using var expected = Json(Path.Combine(folder, "expected.json"));
    var rows = Rows(Path.Combine(folder, "expected.json"));
    foreach (var file in Directory.GetFileSystemEntries(folder).Order(StringComparer.Ordinal))
    {
        var name = Path.GetFileNameWithoutExtension(file);
        if (!expected.RootElement.GetProperty("cases").TryGetProperty(name, out var known) || Path.GetExtension(file) == ".ort")
            continue;
        double? loss = known.TryGetProperty("ort_loss", out var l) || known.TryGetProperty("loss", out l) ? l.GetDouble() : null;
        var model = Directory.Exists(file) && !File.Exists(Path.Combine(file, "config.json"))
            ? Directory.GetFiles(file, "*.onnx").Order(StringComparer.Ordinal).First() : file;
        Run(FamilyOf(name), ExporterOf(name), model, rows, loss, known.TryGetProperty("modules", out _) ? Names(known) : null, name);
    }
}

void Run(string family, string from, string model, string rows, double? reference, string[]? modules, string? shown = null)
{
    shown ??= Path.GetFileName(model);
    var (adapter, merged) = (Path.Combine(work, "adapter"), Path.Combine(work, "merged"));
    string Line(params string[] cells) => $"| {family} | {from} | {shown} | {string.Join(" | ", cells)} |";
    var (rc, before, error) = Loss(model, rows);
    if (rc != 0)
    {
        Add(Line($"refused: {Reason(error)}", "", "", "", ""));
        return;
    }

    var loss = reference is { } wanted ? Rate(Math.Abs(before - wanted)) : "–";
    (rc, _, error) = Ortpeft("train", model, "--data", rows, "--out", adapter, "--steps", "8", "--batch-size", "2", "--lr", "0.01",
        "--rank", "4", "--target", "all-linear", "--seq-len", "16", "--overwrite");
    if (rc != 0)
    {
        Add(Line(loss, "", $"refused: {Reason(error)}", "", ""));
        return;
    }

    var names = modules is null ? "–" : AdapterNames(adapter).SetEquals(modules) ? "HF's" : "**others**";
    var after = Loss(model, rows, "--adapter", adapter).Loss;
    (rc, _, error) = Ortpeft("merge", model, "--adapter", adapter, "--out", merged, "--overwrite");
    var difference = rc == 0 ? Rate(Math.Abs(Loss(merged, rows).Loss - after)) : $"refused: {Reason(error)}";
    var generated = Text(model, "--adapter", adapter) is var (own, reason) && own is null ? $"refused: {Reason(reason)}"
        : rc != 0 ? "yes"
        : Text(merged).Text == own ? "as merged" : "**otherwise merged**";
    Add(Line(
        loss, names, string.Create(CultureInfo.InvariantCulture, $"{before:0.000} → {after:0.000}"), difference, generated));

    void Add(string line)
    {
        lines.Add((family, from, line));
        Console.WriteLine(line);
    }
}

(int Code, double Loss, string Error) Loss(string model, string rows, params string[] more)
{
    var (rc, output, error) = Ortpeft(["eval", model, "--data", rows, "--json", .. more]);
    return rc == 0 ? (rc, JsonDocument.Parse(output).RootElement.GetProperty("loss").GetDouble(), error) : (rc, 0, error);
}

(string? Text, string Error) Text(string model, params string[] more)
{
    var (rc, output, error) = Ortpeft(
        ["generate", model, "--tokenizer", letters, "--prompt", "&2+", "--max-new-tokens", "8", "--temperature", "0", "--json", .. more]);
    return rc == 0 ? (JsonDocument.Parse(output).RootElement.GetProperty("text").GetString(), error) : (null, error);
}

// Families of which no fixture is: the tensors of a like one, with what they have more.
static (string Type, string Like, (string, JsonNode)[] Fields, (string Name, long[] Dims)[] Extra)[] Drawn() =>
[
    ("gemma", "llama", [("hidden_activation", "gelu_pytorch_tanh"), ("tie_word_embeddings", true)], []),
    (
        "qwen2_moe", "qwen3_moe", [("num_experts", 4), ("shared_expert_intermediate_size", 32)],
        [
            ("self_attn.q_proj.bias", [32]), ("self_attn.k_proj.bias", [16]), ("self_attn.v_proj.bias", [16]),
            ("mlp.shared_expert.gate_proj.weight", [32, 32]), ("mlp.shared_expert.up_proj.weight", [32, 32]),
            ("mlp.shared_expert.down_proj.weight", [32, 32]), ("mlp.shared_expert_gate.weight", [1, 32]),
        ]),
];

string DrawnLike(string type, string like, (string Name, JsonNode Value)[] fields, (string Name, long[] Dims)[] extra)
{
    var (source, folder) = (Path.Combine(fixtures, "families", like), Directory.CreateDirectory(Path.Combine(work, type)).FullName);
    var config = JsonNode.Parse(File.ReadAllText(Path.Combine(source, "config.json")))!.AsObject();
    config["model_type"] = type;
    foreach (var (name, value) in fields)
        config[name] = value;
    File.WriteAllText(Path.Combine(folder, "config.json"), config.ToJsonString());
    var bytes = File.ReadAllBytes(Path.Combine(source, "model.safetensors"));
    var start = 8 + (int)BitConverter.ToInt64(bytes);
    using var header = JsonDocument.Parse(bytes.AsMemory(8, start - 8));
    var (random, data, written) = (new Random(7), new MemoryStream(), new JsonObject());
    foreach (var tensor in header.RootElement.EnumerateObject().Where(t => t.Name != "__metadata__" && !IsLeftOut(t.Name)))
    {
        var range = tensor.Value.GetProperty("data_offsets");
        Put(tensor.Name, JsonNode.Parse(tensor.Value.GetProperty("shape").GetRawText())!, bytes[(start + range[0].GetInt32())..(start + range[1].GetInt32())]);
    }

    foreach (var (name, dims) in from layer in Enumerable.Range(0, 2) from e in extra select ($"model.layers.{layer}.{e.Name}", e.Dims))
    {
        var numbers = Enumerable.Range(0, (int)dims.Aggregate((a, b) => a * b)).Select(_ => (random.NextSingle() - 0.5f) / 2);
        Put(name, JsonSerializer.SerializeToNode(dims)!, [.. numbers.SelectMany(BitConverter.GetBytes)]);
    }

    using var file = File.Create(Path.Combine(folder, "model.safetensors"));
    var text = Encoding.UTF8.GetBytes(written.ToJsonString());
    file.Write(BitConverter.GetBytes((long)text.Length));
    file.Write(text);
    file.Write(data.ToArray());
    return folder;

    bool IsLeftOut(string name) => type == "gemma" ? name == "lm_head.weight" : Regex.IsMatch(name, "[qk]_norm");

    void Put(string name, JsonNode shape, byte[] content)
    {
        written[name] = new JsonObject { ["dtype"] = "F32", ["shape"] = shape, ["data_offsets"] = new JsonArray(data.Length, data.Length + content.Length) };
        data.Write(content);
    }
}

(int Code, string Output, string Error) Ortpeft(params string[] arguments)
{
    var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
    foreach (var argument in (string[])[command, .. arguments])
        start.ArgumentList.Add(argument);
    using var process = Process.Start(start)!;
    var error = process.StandardError.ReadToEndAsync();
    var output = process.StandardOutput.ReadToEnd();
    process.WaitForExit();
    return (process.ExitCode, output, error.Result);
}

string Rows(string json)
{
    using var document = Json(json);
    var path = Path.Combine(work, $"{Guid.NewGuid():N}.jsonl");
    File.WriteAllLines(path, document.RootElement.GetProperty("rows").EnumerateArray().Select(r => $"{{\"input_ids\":{JsonSerializer.Serialize(r)}}}"));
    return path;
}

HashSet<string> AdapterNames(string folder)
{
    using var file = File.OpenRead(Path.Combine(folder, "adapter_model.safetensors"));
    using var reader = new BinaryReader(file);
    using var header = JsonDocument.Parse(reader.ReadBytes((int)reader.ReadInt64()));
    return [.. header.RootElement.EnumerateObject().Select(p => p.Name).Where(n => n.Contains(".lora_", StringComparison.Ordinal)).Select(n => n["base_model.model.".Length..n.IndexOf(".lora_", StringComparison.Ordinal)])];
}

static JsonDocument Json(string path) => JsonDocument.Parse(File.ReadAllBytes(path));

static string[] Names(JsonElement golden) => [.. golden.GetProperty("modules").EnumerateArray().Select(m => m.GetString()!)];

static string Rate(double difference) => difference.ToString("0.0e0", CultureInfo.InvariantCulture);

static string Reason(string error)
{
    var line = error.Split('\n').LastOrDefault(l => l.StartsWith("ortpeft: ", StringComparison.Ordinal) && !l.StartsWith("ortpeft: warning", StringComparison.Ordinal)) ?? error;
    var reason = Regex.Replace(line, "^ortpeft: (\\S*/[^:]*: )?(This graph does not train: )?", "").Replace('|', '/');
    return reason.Length <= 90 ? reason : reason[..reason.LastIndexOf(' ', 90)] + " …";
}

string FamilyOf(string file)
{
    var name = Path.GetFileNameWithoutExtension(file);
    string[] known = ["gpt_oss", "gptoss", "gpt_neox", "gpt_neo", "gpt2", "gptj", "granite", "gemma3", "gemma2", "gemma", "qwen3_moe", "qwen3", "qwen2",
        "mixtral", "mistral", "starcoder2", "falcon", "cohere", "deepseek", "distilbert", "bitnet", "phi3", "phi2", "phi", "lfm2", "llama"];
    return known.FirstOrDefault(k => name.Contains(k, StringComparison.Ordinal)) ?? "llama-like";
}

static string ExporterOf(string file)
{
    var name = Path.GetFileNameWithoutExtension(file);
    (string Mark, string Exporter)[] known =
    [
        ("optimum", "Optimum"), ("genai", "GenAI's builder"), ("ortopt", "ONNX Runtime's optimiser"), ("_ts_", "TorchScript"), ("torchscript", "TorchScript"),
        ("noopt", "dynamo, not optimised"), ("dynamo", "dynamo"), ("hf_", "HF folder, config fields"), ("tf2onnx", "TensorFlow"), ("olive", "Olive"),
        ("int8", "ONNX Runtime's quantiser"), ("distilbert", "Optimum"),
    ];
    return known.FirstOrDefault(k => name.Contains(k.Mark, StringComparison.Ordinal)).Exporter ?? "other idioms";
}
