using System.Globalization;
using System.Text.Json.Nodes;
using OrtPeft.Cli.Tests.Running;
using OrtPeft.Compilation.Rewrites;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Tensors;

namespace OrtPeft.Cli.Tests.Commands;

public sealed class ArtifactsTests(Workplace place) : IClassFixture<Workplace>
{
    private static readonly string[] Lora = ["--rank", "4", "--target", "c_attn", "--dropout", "0.1", "--seed", "5"];

    [Fact]
    public void Artifacts_WritesAFolder_AndSaysWhatIsInIt()
    {
        var folder = place.Fresh();

        var run = CliRun.Of(["artifacts", place.Model, "--out", folder, "--json", .. Lora]).Succeeded();

        string[] files = [.. run.Json["files"]!.AsArray().Select(static f => (string)f!)];
        Assert.Equal(
            Directory.EnumerateFiles(folder).Select(static f => Path.GetFileName(f)).Order(StringComparer.Ordinal),
            files.Order(StringComparer.Ordinal));
        Assert.Superset(
            new HashSet<string>
            {
                "training_model.onnx", "eval_model.onnx", "optimizer_model.onnx", "artifacts.json",
                "adapter_config.json", "adapter_model.safetensors", "tokenizer.json",
            },
            files.ToHashSet());
        Assert.Equal("ort", (string?)run.Json["runtime"]);
        Assert.Equal(4 * 4 * Workplace.Width * Workplace.Layers, (long)run.Json["trainable_parameters"]!);
        var manifest = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "artifacts.json")))!;
        Assert.Equal(Workplace.Context, (int)manifest["base"]!["context_length"]!);
        Assert.Equal(Workplace.Vocabulary, (int)manifest["base"]!["vocabulary_size"]!);
    }

    [Fact]
    public void Artifacts_OverThoseOfTheOtherRuntime_LeavesNothingOfThem()
    {
        var folder = place.Fresh();
        CliRun.Of(["artifacts", place.Model, "--out", folder, .. Lora]).Succeeded();

        string[] other = ["--runtime", "ort-training", "--overwrite"];
        var run = CliRun.Of(["artifacts", place.Model, "--out", folder, "--json", .. other, .. Lora]).Succeeded();

        Assert.False(File.Exists(Path.Combine(folder, "adapter_model.safetensors")));
        Assert.Equal(Directory.EnumerateFiles(folder).Count(), run.Json["files"]!.AsArray().Count);
    }

    /// <summary>A browser's build of ONNX Runtime with WebGPU opens no graph with float64.</summary>
    [Fact]
    public void Artifacts_ForWebGpu_HoldNoFloat64_AndTrainWithoutPicking()
    {
        var folder = place.Fresh();

        CliRun.Of(["artifacts", place.Model, "--out", folder, "--provider", "webgpu", .. Lora]).Succeeded();

        var graphs = Directory.EnumerateFiles(folder, "*_model.onnx").ToDictionary(
            static f => Path.GetFileName(f), static f => OnnxFile.Load(f).Graph);
        Assert.Equal(3, graphs.Count);
        foreach (var graph in graphs.Values)
        {
            Assert.DoesNotContain(graph.Nodes, static n => n.Is("Cast") && n.Attributes.Int("to", 0) == (long)ElementType.Double);
            Assert.DoesNotContain(graph.Nodes, static n => n.Is("LogSoftmax"));
        }

        Assert.DoesNotContain(graphs["training_model.onnx"].Nodes, static n => n.Is("NonZero"));
    }

    /// <summary>Said before the model is looked for.</summary>
    [Fact]
    public void Artifacts_OfTheTrainingApi_AreForNoProvider() => CliRun
        .Of(["artifacts", "no-model", "--out", place.Fresh(), "--runtime", "ort-training", "--provider", "webgpu", .. Lora])
        .Refused(2, "--provider webgpu is not for --runtime ort-training; leave it out, or choose --runtime ort.");

    [Fact]
    public void Train_OfTheFolder_IsTrainOfTheModel()
    {
        var (artifacts, fromFolder, fromModel) = (place.Fresh(), place.Fresh(), place.Fresh());
        string[] adamW = ["--weight-decay", "0.1", "--beta1", "0.8", "--epsilon", "1e-6"];
        string[] frozen = ["--frozen-weights", "file", .. adamW];
        string[] how = ["--data", place.Rows, "--steps", "4", "--lr", "0.01", "--threads", "1"];
        // Files have standard operators alone; the same bits take the same nodes.
        var kernels = Speedups.All.Where(static s => s.UsesKernels).Select(static s => s.Name);
        string[] standard = [.. kernels.SelectMany(static name => new[] { "--without", name })];
        CliRun.Of(["artifacts", place.Model, "--out", artifacts, .. frozen, .. Lora]).Succeeded();

        var run = CliRun.Of(["train", artifacts, "--out", fromFolder, "--seed", "5", .. how, "--json"]).Succeeded();
        CliRun.Of(["train", place.Model, "--out", fromModel, .. adamW, .. how, .. standard, .. Lora]).Succeeded();

        Assert.Equal("LORA", (string?)run.Json["method"]);
        Assert.Equal(Bytes(fromModel), Bytes(fromFolder));
        CliRun.Of("eval", place.Model, "--adapter", fromFolder, "--data", place.Rows).Succeeded();
    }

    [Fact]
    public void Train_OfTheFolder_OnText_UsesTheTokenizerInIt()
    {
        var (artifacts, adapter) = (place.Fresh(), place.Fresh());
        CliRun.Of(["artifacts", place.Hf, "--out", artifacts, .. Lora]).Succeeded();

        CliRun.Of("train", artifacts, "--data", place["text.jsonl"], "--out", adapter, "--steps", "1").Succeeded();

        Assert.True(File.Exists(Path.Combine(adapter, "adapter_model.safetensors")));
    }

    [Fact]
    public void Train_OfTheFolder_RefusesWhatIsDecided()
    {
        var artifacts = place.Fresh();
        CliRun.Of(["artifacts", place.Model, "--out", artifacts, .. Lora]).Succeeded();
        string[] train = ["train", artifacts, "--data", place.Rows, "--steps", "1"];

        var elsewhere = place.Fresh();
        CliRun.Of([.. train, "--out", elsewhere, "--rank", "8"]).Refused(2, artifacts, "--rank", "ortpeft artifacts");
        CliRun.Of([.. train, "--out", elsewhere, "--max-grad-norm", "0"]).Refused(2, "optimiser", "ortpeft artifacts");
        CliRun.Of([.. train, "--out", artifacts, "--overwrite"]).Refused(2, artifacts, "own folder");
        Assert.True(File.Exists(Path.Combine(artifacts, "artifacts.json")));
    }

    public static TheoryData<string, string, string> ManifestFaults => new()
    {
        { "peft_config.peft_type", "64", "peft_type" },
        { "peft_config.peft_type", "true", "peft_type" },
        { "peft_config.peft_type", "{}", "peft_type" },
        { "parameters.0.gradient", "null", "gradient" },
        { "parameters.0.gradient", "\"nowhere\"", "'nowhere'" },
        { "parameters.0.input", "\"nowhere\"", "'nowhere'" },
        { "base.vocabulary_size", "-2", "vocabulary_size" },
        { "base.context_length", "-2", "context_length" },
        { "training.outputs.0.name", "\"nowhere\"", "'nowhere'" },
        { "training.inputs.0.name", "\"nowhere\"", "'nowhere'" },
        { "optimizer.inputs.0.name", "\"nowhere\"", "'nowhere'" },
        { "optimizer.outputs.0.name", "\"nowhere\"", "'nowhere'" },
    };

    [Theory]
    [MemberData(nameof(ManifestFaults))]
    public void Train_OfAFolderWhoseManifestIsWrong_NamesFileAndField(string field, string value, string said)
    {
        var folder = place.Fresh();
        CliRun.Of(["artifacts", place.Model, "--out", folder, .. Lora]).Succeeded();
        var file = Path.Combine(folder, "artifacts.json");
        var manifest = JsonNode.Parse(File.ReadAllText(file))!;
        var path = field.Split('.');
        var parent = path[..^1].Aggregate(manifest, static (node, key) =>
            (int.TryParse(key, CultureInfo.InvariantCulture, out var index) ? node[index] : node[key])!);
        parent[path[^1]] = JsonNode.Parse(value);
        File.WriteAllText(file, manifest.ToJsonString());

        var run = CliRun.Of("train", folder, "--data", place.Rows, "--steps", "1", "--out", place.Fresh());

        run.Refused(2, folder, said);
    }

    [Theory]
    [InlineData("training_model.onnx")]
    [InlineData("optimizer_model.onnx")]
    [InlineData("eval_model.onnx")]
    public void Train_OfAFolderWithADamagedGraph_NamesIt(string name)
    {
        var folder = place.Fresh();
        CliRun.Of(["artifacts", place.Model, "--out", folder, .. Lora]).Succeeded();
        var file = Path.Combine(folder, name);
        Damage.Truncate(file, 500);
        string[] data = ["--data", place.Rows, "--eval-data", place.Rows];

        var run = CliRun.Of(["train", folder, .. data, "--steps", "1", "--out", place.Fresh()]);

        run.Refused(2, file);
    }

    [Fact]
    public void Artifacts_OverAnotherFolder_IsRefused_UnlessOverwriteIsGiven()
    {
        var folder = place.Fresh();
        string[] words = ["artifacts", place.Model, "--out", folder, .. Lora];
        CliRun.Of(words).Succeeded();

        CliRun.Of(words).Refused(2, folder, "artifacts.json", "--overwrite");

        CliRun.Of([.. words, "--overwrite"]).Succeeded();
    }

    [Theory]
    [InlineData("--runtime", "abacus", "one of ort")]
    [InlineData("--frozen-weights", "shared", "embed, file")]
    [InlineData("--beta1", "1", "below 1")]
    [InlineData("--init", "eva", "--init-adapter")]
    public void Artifacts_OfAWrongValue_NamesIt(string option, string value, string allowed) =>
        CliRun.Of("artifacts", place.Model, "--out", place.Fresh(), option, value).Refused(2, allowed);

    private static byte[] Bytes(string folder) => File.ReadAllBytes(Path.Combine(folder, "adapter_model.safetensors"));
}
