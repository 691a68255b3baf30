using OrtPeft.Cli.Tests.Running;
using OrtPeft.Onnx.Serialization;

namespace OrtPeft.Cli.Tests.Commands;

public sealed class ExportTests : IClassFixture<Workplace>
{
    private readonly Workplace _place;
    private readonly string _one;
    private readonly string _two;

    public ExportTests(Workplace place)
    {
        _place = place;
        _one = Trained("export/one", "--seed", "1", "--target", "c_attn");
        _two = Trained("export/two", "--seed", "2", "--target", "c_attn,c_proj", "--alpha", "4");
    }

    [Fact]
    public void OnnxAdapter_WritesTheGraphOnce_AndAFileForEachAdapter()
    {
        var folder = _place.Fresh();

        var run = CliRun.Of(
            "export", _place.Model, "--adapter", $"chat={_one}", "--adapter", _two, "--format", "onnx-adapter", "--out", folder, "--json");

        var proof = run.Succeeded().Json["verified"]!;
        Assert.Equal(
            ["chat.onnx_adapter", "model.onnx", "model.onnx.data", "two.onnx_adapter"],
            Names(folder).Where(static n => n.Contains("onnx", StringComparison.Ordinal)));
        Assert.Contains("tokenizer.json", Names(folder));
        Assert.Equal(0, (double)proof["base"]!);
        Assert.InRange((double)proof["adapters"]!["chat"]!, 0, 1e-4);
        Assert.InRange((double)proof["adapters"]!["two"]!, 0, 1e-4);
    }

    /// <summary>For runtimes that feed no optional inputs.</summary>
    [Fact]
    public void OnnxAdapter_WithRequiredInputs_HasNoDefaults_AndIsProved()
    {
        var folder = _place.Fresh();

        var run = CliRun.Of(
            "export", _place.Model, "--adapter", $"a={_one}", "--format", "onnx-adapter", "--required-inputs", "--out", folder, "--json");

        Assert.Equal(0, (double)run.Succeeded().Json["verified"]!["base"]!);
        var inputs = OnnxFile.Load(Path.Combine(folder, "model.onnx")).Graph.Inputs
            .Where(static i => i.Name.Contains("lora_", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(inputs);
        Assert.All(inputs, static i => Assert.Null(i.Initializer));
    }

    [Fact]
    public void RequiredInputs_ForGenAi_AreRefused() =>
        Refused(["--adapter", _one, "--format", "genai", "--beside", "--required-inputs"], "--required-inputs");

    [Fact]
    public void OnnxAdapter_Together_IsOneFile()
    {
        var folder = _place.Fresh();
        string[] both = ["--adapter", _one, "--adapter", _two];

        var run = CliRun.Of(["export", _place.Hf, .. both, "--together", "sum", "--format", "onnx-adapter", "--out", folder]);

        Assert.Contains("sum.onnx_adapter", run.Succeeded().Output, StringComparison.Ordinal);
        Assert.Equal(["sum.onnx_adapter"], Names(folder).Where(static n => n.EndsWith("_adapter", StringComparison.Ordinal)));
    }

    [Fact]
    public void Overwrite_RemovesAdaptersThatAreNotWrittenAnew()
    {
        var folder = _place.Fresh();
        string[] words = ["--format", "onnx-adapter", "--no-verify", "--out", folder];
        CliRun.Of(["export", _place.Model, "--adapter", $"old={_one}", .. words]).Succeeded();

        CliRun.Of(["export", _place.Model, "--adapter", $"new={_one}", .. words]).Refused(2, "model.onnx already", "--overwrite");
        CliRun.Of(["export", _place.Model, "--adapter", $"new={_one}", .. words, "--overwrite"]).Succeeded();

        Assert.Equal(["new.onnx_adapter"], Names(folder).Where(static n => n.EndsWith("_adapter", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("genai", "genai_config.json", "model.onnx", "model.onnx.data")]
    [InlineData("hf", "model.safetensors")]
    [InlineData("foundry-local", "genai_config.json", "inference_model.json", "model.onnx", "model.onnx.data")]
    public void AMergedFolder_HasItsFiles_AndAnswersAsTheAdapter(string format, params string[] files)
    {
        var folder = _place.Fresh();
        string[] name = format == "foundry-local" ? ["--name", "tiny-cats"] : [];

        CliRun.Of(["export", _place.Hf, "--adapter", _one, "--format", format, .. name, "--out", folder]).Succeeded();

        string[] kinds = ["model.", "genai", "inference"];
        Assert.Equal(files, Names(folder).Where(n => kinds.Any(k => n.StartsWith(k, StringComparison.Ordinal))));
        Assert.Contains("tokenizer.json", Names(folder));
        Assert.Equal(Loss(_place.Hf, "--adapter", _one), Loss(folder), 1e-5);
    }

    [Fact]
    public void GenAi_Beside_IsTheBaseAndItsAdapters()
    {
        var folder = _place.Fresh();

        var run = CliRun.Of(
            "export", _place.Hf, "--adapter", $"a={_one}", "--format", "genai", "--beside", "--out", folder).Succeeded();

        Assert.Matches(@"GenAI (is not on this machine|with a\.onnx_adapter: logits)", run.Output);
        Assert.Contains("a.onnx_adapter", Names(folder));
        Assert.Contains("genai_config.json", Names(folder));
        Assert.Equal(Loss(_place.Hf), Loss(folder), 1e-6);
    }

    [Fact]
    public void Foundry_WithAProvidersWordInTheName_IsRefused() => Refused(
        ["--adapter", _one, "--format", "foundry-local", "--name", "my-Cuda-GPU-cat"], "'cuda-gpu'");

    [Fact]
    public void Foundry_WithoutAName_IsRefused() => Refused(["--adapter", _one, "--format", "foundry-local"], "--name NAME");

    [Fact]
    public void Requantize_WithAdaptersApart_IsRefused() => Refused(
        ["--adapter", _one, "--format", "onnx-adapter", "--requantize"], "--requantize");

    [Fact]
    public void TwoAdaptersOfOneName_AreRefused() => Refused(
        ["--adapter", $"A={_one}", "--adapter", $"a={_two}", "--format", "onnx-adapter"], "Two adapters are called 'A'");

    [Fact]
    public void AName_WithASeparator_IsRefused() =>
        Refused(["--adapter", $"../a={_one}", "--format", "onnx-adapter"], "'../a' is no name");

    [Fact]
    public void AnUnknownFormat_IsRefused() =>
        Refused(["--adapter", _one, "--format", "onnx"], "--format is 'onnx'", "onnx-adapter");

    [Fact]
    public void OnnxAdapter_WithoutAnAdapter_IsRefused() => Refused(["--format", "onnx-adapter"], "--adapter NAME=DIR");

    [Fact]
    public void Together_OfOne_IsRefused() =>
        Refused(["--adapter", _one, "--together", "a", "--format", "onnx-adapter"], "needs two adapters");

    [Fact]
    public void AnAdapterOfAnotherModel_IsRefused() => Refused(
        ["--adapter", Path.Combine(Fixtures, "peft_ckpt/g2l_lora_cattn_randB"), "--format", "onnx-adapter"],
        "is it an adapter for another model");

    private static string Fixtures => OrtPeft.Testing.Fixtures.Folder;

    private void Refused(string[] words, params string[] parts)
    {
        var folder = _place.Fresh();

        CliRun.Of(["export", _place.Model, .. words, "--out", folder]).Refused(2, parts);

        Assert.False(Directory.Exists(folder));
    }

    private double Loss(string model, params string[] options) => (double)CliRun.Of(
        ["eval", model, "--data", _place.Rows, "--threads", "1", "--json", .. options]).Succeeded().Json["loss"]!;

    private static IEnumerable<string> Names(string folder) =>
        Directory.EnumerateFiles(folder).Select(static f => Path.GetFileName(f)).Order(StringComparer.Ordinal);

    private string Trained(string name, params string[] options)
    {
        var folder = _place[name];
        if (!Directory.Exists(folder))
        {
            CliRun.Of([
                "train", _place.Model, "--data", _place.Rows, "--steps", "3", "--lr", "0.05", "--rank", "2", "--threads", "1",
                .. options, "--out", folder,
            ]).Succeeded();
        }

        return folder;
    }
}
