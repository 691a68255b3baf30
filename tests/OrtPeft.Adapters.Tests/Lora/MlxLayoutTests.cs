using OrtPeft.Adapters.Lora;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Lora;

/// <summary>Folders of mlx-lm: other names, transposed, and a scale of its own.</summary>
public sealed class MlxLayoutTests
{
    private const string Lora = """{"fine_tune_type":"lora","model":"org/base","num_layers":2,"lora_parameters":{"rank":2,"scale":10.0,"dropout":0.25}}""";

    [Theory]
    [InlineData("lora", false)]
    [InlineData("dora", true)]
    public void Load_GivesHfPeftsAdapter(string kind, bool hasMagnitudes)
    {
        using var folder = new TemporaryFolder();
        Write(folder, Lora.Replace("\"lora\"", $"\"{kind}\"", StringComparison.Ordinal), hasMagnitudes);

        var loaded = PeftModel.Load(SmallGraphs.Linear(), folder.Path);

        var config = (LoraConfig)loaded.Config;
        Assert.Equal((2, 20.0, 0.25, hasMagnitudes, "org/base"), (config.R, config.LoraAlpha, config.LoraDropout, config.UseDora, config.BaseModelNameOrPath));
        Assert.Equal(10, config.ScaleOf("linear"));
        var weights = loaded.GetWeights();
        Assert.Equal([1f, 3, 2, 4], weights["base_model.model.linear.lora_A.weight"].ToFloat32());
        Assert.Equal([1f, 5, 2, 6, 3, 7, 4, 8], weights["base_model.model.linear.lora_B.weight"].ToFloat32());
        Assert.Equal(hasMagnitudes, weights.ContainsKey("base_model.model.linear.lora_magnitude_vector"));
    }

    [Theory]
    [InlineData("""{"fine_tune_type":"full","num_layers":2}""", "of mlx-lm's, lora and dora are read")]
    [InlineData("""{"fine_tune_type":"lora","lora_parameters":{"rank":2,"scale":10.0,"alpha":16}}""", "has alpha")]
    [InlineData("""{"fine_tune_type":"lora","lora_parameters":{"rank":0,"scale":10.0}}""", "a rank of 1 or more")]
    [InlineData("""{"fine_tune_type":"lora","lora_parameters":{"rank":2}}""", "a rank of 1 or more and a scale")]
    public void LoadConfig_OfWhatIsNotRead_SaysWhat(string json, string part)
    {
        using var folder = new TemporaryFolder();
        Write(folder, json, hasMagnitudes: false);

        var error = Assert.Throws<ConfigException>(() => AdapterFolder.LoadConfig(folder.Path));

        Assert.Contains(part, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void LoadWeights_OfExperts_SaysThatTheyAreNotRead()
    {
        using var folder = new TemporaryFolder();
        Write(folder, Lora, hasMagnitudes: false, ("mlp.switch_mlp.up_proj.lora_a", Tensor.Of<float>(new float[8], [2, 2, 2])));

        var error = Assert.Throws<ConfigException>(() => AdapterFolder.LoadWeights(folder.Path));

        Assert.Contains("experts' adapters are not read", error.Message, StringComparison.Ordinal);
    }

    private static void Write(TemporaryFolder folder, string json, bool hasMagnitudes, params (string, Tensor)[] more)
    {
        File.WriteAllText(folder["adapter_config.json"], json);
        List<(string, Tensor)> tensors =
        [
            ("linear.lora_a", Tensor.Of<float>([1, 2, 3, 4], [2, 2])),
            ("linear.lora_b", Tensor.Of<float>([1, 2, 3, 4, 5, 6, 7, 8], [2, 4])),
            .. more,
        ];
        if (hasMagnitudes)
            tensors.Add(("linear.m", Tensor.Vector(1f, 2, 3, 4)));
        SafetensorsFile.Save(folder["adapters.safetensors"], tensors);
    }
}
