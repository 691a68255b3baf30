using System.Text.Json.Nodes;
using OrtPeft.Adapters.Bottleneck;
using OrtPeft.Adapters.Configuration;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Bottleneck;

/// <summary>Folders as the adapters library writes them with <c>save_adapter</c> and <c>use_safetensors</c>.</summary>
public sealed class LibraryLayoutTests
{
    /// <summary>All of <c>SeqBnConfig</c>, as version 1.2 writes it.</summary>
    private const string Config = """
        {
          "config": {
            "adapter_residual_before_ln": false, "cross_adapter": false, "dropout": 0.0, "factorized_phm_W": true,
            "factorized_phm_rule": false, "hypercomplex_nonlinearity": "glorot-uniform", "init_weights": "bert",
            "init_weights_seed": null, "inv_adapter": null, "inv_adapter_reduction_factor": null, "is_parallel": false,
            "learn_phm": true, "leave_out": [], "ln_after": false, "ln_before": false, "mh_adapter": true,
            "non_linearity": "relu", "original_ln_after": true, "original_ln_before": true, "output_adapter": true,
            "phm_bias": true, "phm_c_init": "normal", "phm_dim": 4, "phm_init_range": 0.0001, "phm_layer": false,
            "phm_rank": 1, "reduction_factor": 8, "residual_before_ln": true, "scaling": 1.0, "shared_W_phm": false,
            "shared_phm_rule": true, "stochastic_depth": 0.0, "use_gating": false
          },
          "hidden_size": 32,
          "model_class": "GPT2LMHeadModel",
          "model_name": "tiny",
          "model_type": "gpt2",
          "name": "sst",
          "version": "adapters.1.2.0"
        }
        """;

    private static readonly BottleneckConfig Flat = BottleneckPresets.Named("pfeiffer") with
    {
        Name = "sst",
        MhAdapter = true,
        ReductionFactor = 8,
    };

    [Theory]
    [InlineData("transformer.")]
    [InlineData("")]
    public void Load_OfTheLibrarysFolder_AnswersAsTheFlatOne(string root)
    {
        using var folder = new TemporaryFolder();
        var expected = PeftModel.Create(Gpt2.Open(Gpt2.Imported), Flat, seed: 5);
        Write(folder, Config, expected.GetWeights().ToDictionary(
            w => w.Key.Replace("transformer.", root, StringComparison.Ordinal), static w => w.Value));

        var read = PeftModel.Load(Gpt2.Open(Gpt2.Imported), folder.Path);

        var batch = TrainRun.Batch(0);
        var logits = DecoderLogits.Of(expected.Model, batch).ToFloat32();
        Assert.Equal(logits, DecoderLogits.Of(read.Model, batch).ToFloat32());
        Assert.Empty(read.Config.UnknownFields);
    }

    [Fact]
    public void Save_OfWhatWasRead_WritesTheSameFiles()
    {
        using var folder = new TemporaryFolder();
        Write(folder, Config, PeftModel.Create(Gpt2.Open(Gpt2.Imported), Flat, seed: 5).GetWeights());

        PeftModel.Load(Gpt2.Open(Gpt2.Imported), folder.Path).Save(folder["again"]);

        var json = JsonNode.Parse(File.ReadAllText(Path.Combine(folder["again"], AdapterFolder.ConfigFile)))!;
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(Config), json), json.ToJsonString());
        var tensors = SafetensorsFile.Open(Path.Combine(folder["again"], "adapter.safetensors")).Tensors;
        var given = AdapterFolder.LoadWeights(folder.Path);
        Assert.Equal(given.Keys.Order(), tensors.Keys.Order());
        Assert.All(given, w => Assert.Equal(w.Value.ToFloat32(), tensors[w.Key].ToFloat32()));
        Assert.False(File.Exists(Path.Combine(folder["again"], AdapterFolder.WeightsFile)));
    }

    [Fact]
    public void Save_WhenTheLayoutIsAskedFor_HasWhatTheLibraryReads()
    {
        using var folder = new TemporaryFolder();
        var fields = new JsonObject { ["preset"] = "pfeiffer", ["name"] = "mine", ["layout"] = "adapters" };
        var config = BottleneckConfig.FromFields(new ConfigFields(fields, "config"));

        PeftModel.Create(Gpt2.Open(Gpt2.Imported), config).Save(folder.Path);

        var json = JsonNode.Parse(File.ReadAllText(folder[AdapterFolder.ConfigFile]))!.AsObject();
        Assert.Equal(
            ["config", "hidden_size", "model_class", "model_name", "model_type", "name", "version"],
            json.Select(static f => f.Key));
        Assert.Equal((32, "gpt2"), ((int)json["hidden_size"]!, (string?)json["model_type"]));
        Assert.StartsWith("adapters.", (string?)json["version"], StringComparison.Ordinal);
        Assert.Equal(
            [
                "dropout", "init_weights", "is_parallel", "leave_out", "mh_adapter", "non_linearity",
                "original_ln_before", "output_adapter", "reduction_factor", "scaling",
            ],
            json["config"]!.AsObject().Select(static f => f.Key));
        Assert.Equal("mine", ((BottleneckConfig)PeftModel.Load(Gpt2.Open(Gpt2.Imported), folder.Path).Config).Name);
    }

    /// <summary>Before files named the library's version, <c>gelu</c> was the one with tanh.</summary>
    [Theory]
    [InlineData("gelu", true, "gelu")]
    [InlineData("gelu", false, "gelu_new")]
    [InlineData("gelu_orig", false, "gelu")]
    [InlineData("relu", false, "relu")]
    public void LoadConfig_WithoutAVersion_RenamesGelu(string written, bool hasVersion, string read)
    {
        var json = JsonNode.Parse(Config)!.AsObject();
        json["config"]!["non_linearity"] = written;
        if (!hasVersion)
            json.Remove("version");
        using var folder = new TemporaryFolder();
        Write(folder, json.ToJsonString(), null);

        var config = (BottleneckConfig)AdapterFolder.LoadConfig(folder.Path);

        Assert.Equal(read, config.NonLinearity);
    }

    [Theory]
    [InlineData("\"architecture\"", "\"lora\"", "architecture")]
    [InlineData("\"phm_layer\"", "true", "phm_layer")]
    [InlineData("\"inv_adapter\"", "\"nice\"", "inv_adapter")]
    [InlineData("\"ln_after\"", "true", "ln_after")]
    [InlineData("\"stochastic_depth\"", "0.1", "stochastic_depth")]
    [InlineData("\"shared_parameters\"", "{\"a\":1}", "shared_parameters")]
    public void LoadConfig_WhenTheMathematicsAreOthers_IsRefused(string field, string value, string said)
    {
        var json = JsonNode.Parse(Config)!.AsObject();
        json["config"]![field.Trim('"')] = JsonNode.Parse(value);
        using var folder = new TemporaryFolder();
        Write(folder, json.ToJsonString(), null);

        var error = Assert.Throws<ConfigException>(() => AdapterFolder.LoadConfig(folder.Path));

        Assert.StartsWith(folder[AdapterFolder.ConfigFile], error.Message, StringComparison.Ordinal);
        Assert.Contains(said, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_WhenTheModelIsWider_IsRefused()
    {
        using var folder = new TemporaryFolder();
        Write(folder, Config.Replace("\"hidden_size\": 32", "\"hidden_size\": 768", StringComparison.Ordinal), null);
        var config = AdapterFolder.LoadConfig(folder.Path);

        var error = Assert.Throws<ConfigException>(() => PeftModel.Create(Gpt2.Open(Gpt2.Imported), config));

        Assert.Contains("hidden_size is 768", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"nested\"")]
    [InlineData("1")]
    public void FromFields_WhenTheLayoutIsUnknown_IsRefused(string layout)
    {
        var fields = new ConfigFields(new JsonObject { ["layout"] = JsonNode.Parse(layout) }, "config");

        var error = Assert.Throws<ConfigException>(() => BottleneckConfig.FromFields(fields));

        Assert.Contains("adapters", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FromFields_WhenTheLayoutHasNoPlaceForTargets_IsRefused()
    {
        var json = new JsonObject { ["layout"] = "adapters", ["target_modules"] = new JsonArray("mlp.c_fc") };

        var error = Assert.Throws<ConfigException>(
            () => BottleneckConfig.FromFields(new ConfigFields(json, "config")));

        Assert.Contains("target_modules", error.Message, StringComparison.Ordinal);
    }

    private static void Write(TemporaryFolder folder, string config, IReadOnlyDictionary<string, Tensor>? weights)
    {
        File.WriteAllText(folder[AdapterFolder.ConfigFile], config);
        var metadata = new Dictionary<string, string> { ["format"] = "pt" };
        if (weights is not null)
            SafetensorsFile.Save(folder["adapter.safetensors"], weights.Select(static w => (w.Key, w.Value)), metadata);
    }
}
