using OrtPeft.Adapters.Lora;
using OrtPeft.Onnx;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests;

public sealed class AdapterFolderTests
{
    private static readonly string Saved = TrainRun.Open("lora_cattn").AdapterFolder;

    [Fact]
    public void LoadConfig_WhenThereIsNoFile_NamesIt()
    {
        using var folder = new TemporaryFolder();

        var error = Assert.Throws<ConfigException>(() => AdapterFolder.LoadConfig(folder.Path));

        Assert.Contains(folder[AdapterFolder.ConfigFile], error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[1]")]
    [InlineData("null")]
    [InlineData("{\"peft_type\": \"LORA\", \"r\": NaN}")]
    [InlineData("{\"peft_type\": \"LORA\", \"r\": 4, \"r\": 8}")]
    public void LoadConfig_WhenItIsNoJsonObject_NamesTheFile(string content)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder[AdapterFolder.ConfigFile], content);

        var error = Assert.Throws<ConfigException>(() => AdapterFolder.LoadConfig(folder.Path));

        Assert.Contains(folder[AdapterFolder.ConfigFile], error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void LoadWeights_WhenThereIsNoFile_NamesIt()
    {
        using var folder = new TemporaryFolder();

        var error = Assert.Throws<ConfigException>(() => AdapterFolder.LoadWeights(folder.Path));

        Assert.Contains(folder[AdapterFolder.WeightsFile], error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(100)]
    [InlineData(4607)]
    public void LoadWeights_WhenTruncated_NamesTheFile(int length)
    {
        using var folder = new TemporaryFolder();
        var bytes = File.ReadAllBytes(Path.Combine(Saved, AdapterFolder.WeightsFile));
        File.WriteAllBytes(folder[AdapterFolder.WeightsFile], bytes[..length]);

        var error = Assert.Throws<OnnxFormatException>(() => AdapterFolder.LoadWeights(folder.Path));

        Assert.Contains(folder[AdapterFolder.WeightsFile], error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Save_WhenLoadedAgain_IsTheSameAdapter()
    {
        using var folder = new TemporaryFolder();
        var config = new LoraConfig { R = 2, LoraAlpha = 3, TargetModules = ["c_fc"], Bias = "all", Revision = "main" };
        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), config, seed: 5);

        peft.Save(folder.Path);
        var loaded = PeftModel.Load(Gpt2.Open(Gpt2.Imported), folder.Path);

        Assert.Equal(peft.Config.ToJson().ToJsonString(), loaded.Config.ToJson().ToJsonString());
        Assert.Equal(peft.GetWeights().Keys, loaded.GetWeights().Keys);
        foreach (var (name, tensor) in peft.GetWeights())
            Assert.Equal(tensor.ToFloat32(), loaded.GetWeights()[name].ToFloat32());
        Assert.Equal(
            [AdapterFolder.ConfigFile, AdapterFolder.WeightsFile],
            Directory.EnumerateFiles(folder.Path).Select(static f => Path.GetFileName(f)).Order());
    }
}
