// Checks a provider on this machine; scripts/device-check.sh builds the command and calls it.
//
//     dotnet run scripts/DeviceCheck.cs -- [PROVIDER] [--quick]
#:property PublishAot=false

using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

// So many steps of float32 in another order of summation; a wrong gradient shows in the first digits.
const double Tolerance = 2e-3;

// Float64, which few devices have: one number for each label, and for some 4,096 elements of the gradient.
string[] accepted = ["ReduceSum"];

var provider = args.FirstOrDefault(static a => !a.StartsWith("--", StringComparison.Ordinal)) ?? "cuda";
var isQuick = args.Contains("--quick");
var steps = isQuick ? 6 : 20;
var command = Environment.GetEnvironmentVariable("ORTPEFT_DLL") ?? "artifacts/bin/OrtPeft.Cli/release/ortpeft.dll";
var folder = Path.GetFullPath("out/device-check");
var work = Path.Combine(folder, "work");
if (Directory.Exists(work))
    Directory.Delete(work, recursive: true);
Directory.CreateDirectory(work);
var (result, rows, failed) = (new JsonObject { ["provider"] = provider }, new List<string[]>(), false);

var devices = Json("devices", "--json");
var device = devices["providers"]!.AsArray().FirstOrDefault(p => (string)p!["name"]! == provider);
result["onnxruntime"] = (string)devices["onnxruntime"]!;
if (device is null || !(bool)device["usable"]!)
{
    Console.Error.WriteLine($"device-check: {provider} cannot be used here: {(string?)device?["why_not"] ?? "there is no such provider"}.");
    return 3;
}

var tiny = "models/tiny-gpt2-apidocs";
var data = "models/tasks/what-member-is-it/train.jsonl";
var int4 = Path.Combine(work, "int4");
Ortpeft("quantize", tiny, "--bits", "4", "--out", int4);
Parity("LoRA, dropout, 2 parts a step", tiny, "--method", "lora", "--target", "all-linear", "--dropout", "0.05", "--grad-accum", "2");
Parity("QLoRA, int4 base", int4, "--method", "lora");
Parity("prefix tuning", tiny, "--method", "prefix-tuning", "--num-virtual-tokens", "4");
Placement("LoRA, dropout", tiny, "--dropout", "0.05", "--target", "all-linear");
Placement("QLoRA, int4 base", int4);
if (!isQuick)
{
    Speed("gpt2", 4, 128, "c_attn");
    Speed("gpt2", 8, 512, "all-linear");
    Speed("llama-3.2-1b", 1, 512, "all-linear");
    Peer();
}

result["passed"] = !failed;
File.WriteAllText(Path.Combine(folder, "result.json"), result.ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
var widths = Enumerable.Range(0, 3).Select(i => rows.Max(r => r[i].Length)).ToArray();
foreach (var row in rows)
    Console.WriteLine($"{row[0].PadRight(widths[0])}  {row[1].PadRight(widths[1])}  {row[2]}");
Console.WriteLine(result.ToJsonString());
return failed ? 1 : 0;

// The losses there and on the CPU.
void Parity(string name, string model, params string[] options)
{
    double[] Losses(string on)
    {
        var to = Path.Combine(work, $"{name.GetHashCode(StringComparison.Ordinal):x8}-{on}");
        Ortpeft(["train", model, "--data", data, "--out", to, "--provider", on, "--steps", Text(steps), "--batch-size", "4", "--lr", "2e-3", .. options]);
        return [.. File.ReadLines(Path.Combine(to, "metrics.jsonl")).Select(static l => JsonNode.Parse(l)!)
            .Where(static n => n["loss"] is not null).Select(static n => (double)n["loss"]!)];
    }

    var (there, here) = (Losses(provider), Losses("cpu"));
    var isWhole = there.Length == steps && here.Length == steps;
    var difference = isWhole ? there.Zip(here, static (a, b) => Math.Abs(a - b)).Max() : double.NaN;
    var learned = isQuick || (isWhole && there[^5..].Average() < there[..5].Average());
    Add("parity", name, difference <= Tolerance && learned, $"losses differ by at most {difference:E1}, {there[0]:F4} to {there[^1]:F4}",
        new() { ["largest_difference"] = double.IsNaN(difference) ? null : difference, ["losses"] = new JsonArray([.. there.Select(static l => (JsonNode)l)]) });
}

// What ran on the CPU, by ONNX Runtime's own profile.
void Placement(string name, string model, params string[] options)
{
    var profile = Json(["bench", model, "--provider", provider, "--profile", "--steps", "2", "--warmup-steps", "1", "--batch-size", "2",
        "--seq-len", "32", "--json", .. options])["profile"]!;
    var strays = profile["on_cpu"]?.AsArray().Select(static s => (string)s!["name"]!).ToArray() ?? ["no provider in the profile"];
    var copies = profile["ops"]!.AsArray().Where(static o => ((string)o!["name"]!).StartsWith("Memcpy", StringComparison.Ordinal))
        .Sum(static o => (int)o!["nodes"]!);
    Add("placement", name, !strays.Except(accepted).Any(),
        strays.Length == 0 ? $"nothing large on the CPU, {copies} copies" : $"on the CPU: {string.Join(", ", strays)}; {copies} copies",
        new() { ["on_cpu"] = new JsonArray([.. strays.Select(static s => (JsonNode)s)]), ["copies_per_step"] = copies });
}

void Speed(string preset, int batch, int length, string target)
{
    var model = Path.Combine(work, preset);
    if (!Directory.Exists(model))
        Ortpeft("init", "--preset", preset, "--out", model);
    using var memory = new DeviceMemory();
    var bench = Json("bench", model, "--provider", provider, "--target", target, "--rank", "8", "--batch-size", Text(batch), "--seq-len", Text(length),
        "--steps", "10", "--micro-batch-tokens", "0", "--json");
    var (milliseconds, tokens) = ((double)bench["ms_per_step_median"]!, (double)bench["tokens_per_second"]!);
    var peak = memory.Peak();
    Add("speed", $"{preset} {target} {batch}x{length}", true,
        $"{milliseconds:F1} ms a step, {tokens:F0} tokens/s{(peak is { } mib ? $", {mib} MiB on the device" : "")}",
        new() { ["ms_per_step"] = milliseconds, ["tokens_per_second"] = tokens, ["device_mib"] = peak });
}

// transformers and PEFT, where both the script and PyTorch are.
void Peer()
{
    if (Environment.GetEnvironmentVariable("HF_LORA") is not { } script)
        return;
    var (code, output, error) = Run("python3", [script, "gpt2-124m", "c_attn", "4", "128"]);
    Add("peer", "transformers + PEFT, gpt2 c_attn 4x128", true, code == 0 ? output.Trim() : $"not run: {error.Trim().Split('\n')[^1]}",
        new() { ["output"] = code == 0 ? JsonNode.Parse(output) : null });
}

void Add(string kind, string name, bool isRight, string what, JsonObject figures)
{
    failed |= !isRight;
    rows.Add([kind, name, $"{(isRight ? "ok  " : "FAIL")} {what}"]);
    Console.Error.WriteLine($"device-check: {kind}, {name}: {(isRight ? "" : "FAILED: ")}{what}");
    figures["ok"] = isRight;
    (result[kind] ??= new JsonObject())[name] = figures;
}

JsonNode Json(params string[] arguments) => JsonNode.Parse(Ortpeft(arguments))!;

string Ortpeft(params string[] arguments)
{
    var (code, output, error) = Run("dotnet", [command, .. arguments]);
    return code == 0 ? output : throw new InvalidOperationException($"ortpeft {string.Join(' ', arguments)}: {error.Trim()}");
}

static (int Code, string Output, string Error) Run(string program, IReadOnlyList<string> arguments)
{
    using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
    var error = process.StandardError.ReadToEndAsync();
    var output = process.StandardOutput.ReadToEnd();
    process.WaitForExit();
    return (process.ExitCode, output, error.Result);
}

static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

/// <summary>Watches how much of an NVIDIA device's memory is in use.</summary>
internal sealed class DeviceMemory : IDisposable
{
    private readonly CancellationTokenSource _end = new();
    private readonly Task<int?> _watch;

    public DeviceMemory() => _watch = Task.Run(Watch);

    /// <summary>The most that was in use, MiB; null where nvidia-smi is not there.</summary>
    public int? Peak()
    {
        _end.Cancel();
        return _watch.Result;
    }

    public void Dispose() => _end.Dispose();

    private int? Watch()
    {
        int? most = null;
        do
        {
            try
            {
                using var process = Process.Start(new ProcessStartInfo("nvidia-smi", ["--query-gpu=memory.used", "--format=csv,noheader,nounits"])
                {
                    RedirectStandardOutput = true,
                })!;
                var used = process.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Sum(int.Parse);
                most = Math.Max(most ?? 0, used);
            }
            catch (Exception e) when (e is System.ComponentModel.Win32Exception or FormatException)
            {
                return most;
            }
        }
        while (!_end.Token.WaitHandle.WaitOne(300));
        return most;
    }
}
