using FsCheck;
using FsCheck.Fluent;
using OrtPeft.Adapters.Lora;
using OrtPeft.Tensors;
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
    [InlineData("{\"peft_type\": \"LORA\", \"bias\": \"\\ud800\"}")]
    [InlineData("{\"peft_type\": \"LORA\", \"\\udc00\": 1}")]
    public void LoadConfig_WhenItIsNoJsonObject_NamesTheFile(string content)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder[AdapterFolder.ConfigFile], content);

        var error = Assert.Throws<ConfigException>(() => AdapterFolder.LoadConfig(folder.Path));

        Assert.Contains(folder[AdapterFolder.ConfigFile], error.Message, StringComparison.Ordinal);
    }

    /// <summary>Whatever the bytes: a configuration, or the one typed error.</summary>
    [Fact]
    public void LoadConfig_OfDamagedBytes_NeverFailsOtherwise()
    {
        var whole = File.ReadAllBytes(Path.Combine(Saved, AdapterFolder.ConfigFile));
        using var folder = new TemporaryFolder();
        var damage = Gen.Choose(0, whole.Length - 1).Zip(Gen.Choose(0, 255));

        var holds = Prop.ForAll(damage.ListOf().ToArbitrary(), changes =>
        {
            var bytes = whole.ToArray();
            foreach (var (place, value) in changes)
                bytes[place] = (byte)value;
            File.WriteAllBytes(folder[AdapterFolder.ConfigFile], bytes);
            return Record.Exception(() => AdapterFolder.LoadConfig(folder.Path)) is null or ConfigException;
        });

        holds.Check(Config.QuickThrowOnFailure.WithMaxTest(2000).WithEndSize(10).WithReplay(20, 7));
    }

    [Fact]
    public void LoadWeights_WhenThereIsNoFile_NamesIt()
    {
        using var folder = new TemporaryFolder();

        var error = Assert.Throws<ConfigException>(() => AdapterFolder.LoadWeights(folder.Path));

        Assert.Contains(folder[AdapterFolder.WeightsFile], error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("adapter_model.bin", "adapter_model.safetensors")]
    [InlineData("pytorch_adapter.bin", "adapter.safetensors")]
    public void LoadWeights_OfAPickle_SaysHowToConvertIt(string pickle, string safe)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder[pickle], "PK");

        var error = Assert.Throws<ConfigException>(() => AdapterFolder.LoadWeights(folder.Path));

        var remedy = $"torch.load('{pickle}', weights_only=True), '{safe}'";
        Assert.Contains(remedy, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void LoadConfig_OfAFolderWithAdaptersInside_NamesThem()
    {
        using var folder = new TemporaryFolder();
        Copy(Saved, folder["chat"]);
        Copy(Saved, folder["code"]);

        var error = Assert.Throws<ConfigException>(() => AdapterFolder.LoadConfig(folder.Path));

        Assert.Contains($"{folder["chat"]}, {folder["code"]}", error.Message, StringComparison.Ordinal);
        Assert.Equal([("chat", folder["chat"]), ("code", folder["code"])], AdapterFolder.AllIn(folder.Path));
    }

    [Fact]
    public void LoadAll_OfWhatSaveWrote_HasAllAdapters()
    {
        using var folder = new TemporaryFolder();
        var model = PeftModel.Create(Gpt2.Open(Gpt2.Imported), new LoraConfig { InitLoraWeights = false });
        model.Adapters.Add("chat", new LoraConfig { R = 2, InitLoraWeights = false }, seed: 4);
        model.Save(folder.Path);

        var read = PeftModel.LoadAll(Gpt2.Open(Gpt2.Imported), folder.Path);

        Assert.Equal(["default", "chat"], read.Adapters.Names);
        Assert.Equal(["default"], read.Adapters.ActiveNames);
        foreach (var name in read.Adapters.Names)
        {
            var weights = read.Adapters.WeightsOf(name);
            Assert.All(
                model.Adapters.WeightsOf(name), w => Assert.Equal(w.Value.ToFloat32(), weights[w.Key].ToFloat32()));
        }
    }

    [Fact]
    public void LoadAll_WithoutAnAdapterOfTheFolderItself_StartsWithTheFirst()
    {
        using var folder = new TemporaryFolder();
        Copy(Saved, folder["code"]);
        Copy(Saved, folder["chat"]);

        var read = PeftModel.LoadAll(Gpt2.Open(Gpt2.Imported), folder.Path);

        Assert.Equal(["chat", "code"], read.Adapters.Names);
        Assert.Equal(["chat"], read.Adapters.ActiveNames);
    }

    [Fact]
    public void LoadAll_OfAnEmptyFolder_NamesWhatIsMissing()
    {
        using var folder = new TemporaryFolder();

        var error = Assert.Throws<ConfigException>(
            () => PeftModel.LoadAll(Gpt2.Open(Gpt2.Imported), folder.Path));

        Assert.Contains(folder[AdapterFolder.ConfigFile], error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"peft_type":"LORA","peft_version":"0.18","megatron_core":"x","qalora_group_size":16}""")]
    [InlineData("""{"peft_type":"LORA","future":null,"later":false,"then":{},"more":[]}""")]
    [InlineData("""{"peft_type":"LORA","future":1,"then":{"a":null}}""", "future", "then")]
    [InlineData("""{"peft_type":"IA3","later":"x"}""", "later")]
    [InlineData("""{"peft_type":"BOTTLENECK","phm_dim":4,"later":true}""", "later")]
    public void UnknownFields_AreThoseThatMayMatter_AndAllAreKept(string json, params string[] expected)
    {
        var fields = System.Text.Json.Nodes.JsonNode.Parse(json)!.AsObject();

        var config = PeftMethods.Read(new Configuration.ConfigFields(fields, "config"), "config");

        Assert.Equal(expected, config.UnknownFields);
        var written = config.ToJson();
        Assert.All(fields, f => Assert.True(written.ContainsKey(f.Key), f.Key));
    }

    [Fact]
    public void UnknownFields_OfHfPeftsFiles_AreNone() => Assert.All(
        Directory.GetDirectories(Path.Combine(Fixtures.Folder, "peft_ckpt")),
        static folder => Assert.Empty(AdapterFolder.LoadConfig(folder).UnknownFields));

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

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in (string[])[AdapterFolder.ConfigFile, AdapterFolder.WeightsFile])
            File.Copy(Path.Combine(from, file), Path.Combine(to, file));
    }
}
