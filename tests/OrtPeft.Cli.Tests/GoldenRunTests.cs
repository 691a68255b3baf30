using System.Text.Json.Nodes;
using OrtPeft.Cli.Tests.Running;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;

namespace OrtPeft.Cli.Tests;

/// <summary>The command along runs of PyTorch with HF transformers and HF peft, same weights and batches.</summary>
public sealed class GoldenRunTests : IDisposable
{
    private const double Tolerance = 1e-4;
    private const string Graph = "golden/hf442_g2l_nopast_op13";

    private static readonly Dictionary<string, string> CaseFields = new()
    {
        ["in/input_ids"] = "input_ids",
        ["in/attention_mask"] = "attention_mask",
        ["in/position_ids"] = "position_ids",
        ["labels"] = "labels",
    };

    private const string Run = "golden/train_g2l_lora_cattn_randB";

    private readonly string _folder = Directory.CreateTempSubdirectory("ortpeft-golden-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("const", "--schedule", "constant", "--max-grad-norm", "0")]
    [InlineData("clip", "--schedule", "linear", "--warmup-steps", "4", "--max-grad-norm", "1.0")]
    public void Train_FollowsPyTorch(string run, params string[] options)
    {
        var (model, rows, adapter, output) = (In("model"), In("rows.jsonl"), In("init"), In("out"));
        CliRun.Of("import", Fixture("base/g2l"), "--out", model).Succeeded();
        var batches = SafetensorsFile.Open(Fixture("golden/train_batches_g2l.safetensors"));
        WriteRows(rows, 12, row => BatchFields(batches, row));
        WriteInitialAdapter(adapter);

        CliRun.Of(
        [
            "train", model, "--data", rows, "--out", output, "--init-adapter", adapter, "--steps", "20",
            "--batch-size", "3", "--lr", "0.01", "--weight-decay", "0.01", "--no-shuffle", .. options,
        ]).Succeeded();

        var index = JsonNode.Parse(File.ReadAllText(Fixture($"{Run}/index.json")))!;
        var expected = index["runs"]![run]!["32"]!["losses"]!.AsArray();
        var actual = File.ReadLines(Path.Combine(output, "metrics.jsonl"))
            .Select(static line => (double)JsonNode.Parse(line)!["loss"]!).ToArray();
        Assert.Equal(20, actual.Length);
        Assert.All(expected.Zip(actual), static pair => Assert.Equal((double)pair.First!, pair.Second, Tolerance));
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("rightpad")]
    [InlineData("leftpad")]
    [InlineData("b2s5")]
    public void Eval_AgreesWithPyTorch(string name)
    {
        var golden = SafetensorsFile.Open(Fixture($"{Graph}/data.safetensors"));
        var rows = In("rows.jsonl");
        WriteRows(rows, (int)golden[$"{name}/labels"].Dims[0], row => CaseFields
            .Where(field => golden.Tensors.ContainsKey($"{name}/{field.Key}"))
            .Select(field => KeyValuePair.Create(field.Value, (JsonNode?)Row(golden[$"{name}/{field.Key}"], row))));

        var json = CliRun.Of("eval", Fixture("base/g2l"), "--data", rows, "--json").Succeeded().Json;

        var index = JsonNode.Parse(File.ReadAllText(Fixture($"{Graph}/index.json")))!;
        Assert.Equal((double)index["cases"]![name]!["loss"]!, (double)json["loss"]!, Tolerance);
    }

    private string In(string name) => Path.Combine(_folder, name);

    private static string Fixture(string name) => Path.Combine(AppContext.BaseDirectory, "Fixtures", name);

    private static void WriteRows(
        string path, int count, Func<int, IEnumerable<KeyValuePair<string, JsonNode?>>> fields) =>
        File.WriteAllLines(path, Enumerable.Range(0, count).Select(row => new JsonObject(fields(row)).ToJsonString()));

    /// <summary>Four batches of three rows each.</summary>
    private static IEnumerable<KeyValuePair<string, JsonNode?>> BatchFields(SafetensorsFile file, int row) =>
        new[] { "input_ids", "attention_mask", "labels" }.Select(field =>
            KeyValuePair.Create(field, (JsonNode?)Row(file[$"batch{row / 3}/{field}"], row % 3)));

    private static JsonArray Row(Tensor table, int row)
    {
        var length = (int)table.Dims[1];
        return new JsonArray([.. table.ToInt64().Skip(row * length).Take(length).Select(static v => (JsonNode?)v)]);
    }

    private static void WriteInitialAdapter(string folder)
    {
        Directory.CreateDirectory(folder);
        const string Prefix = "init/";
        var weights = SafetensorsFile.Open(Fixture($"{Run}/data.safetensors")).Tensors
            .Where(static t => t.Key.StartsWith(Prefix, StringComparison.Ordinal))
            .Select(static t => (t.Key[Prefix.Length..], Tensor.Of<float>(t.Value.ToFloat32(), t.Value.Dims.AsSpan())));
        SafetensorsFile.Save(Path.Combine(folder, "adapter_model.safetensors"), weights);
        var config = Fixture("peft_ckpt/g2l_lora_cattn_randB/adapter_config.json");
        File.Copy(config, Path.Combine(folder, "adapter_config.json"));
    }
}
