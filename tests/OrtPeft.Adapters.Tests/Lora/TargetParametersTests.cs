using System.Text.Json;
using OrtPeft.Adapters.Full;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Modules;
using OrtPeft.Models.Checkpoints;
using OrtPeft.Onnx;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Lora;

/// <summary>Experts and routers adapted as HF PEFT 0.21.2 adapts them, on models of transformers 5.24.</summary>
public sealed class TargetParametersTests
{
    private static readonly long[][] Rows = [[5, 17, 30, 42, 9, 51, 77, 120], [90, 3, 8, 64, 200]];

    public static TheoryData<string> Families => ["mixtral", "qwen3_moe"];

    [Theory]
    [MemberData(nameof(Families))]
    public void Load_OfPeftsAdapter_GivesItsLoss_MergedToo(string family)
    {
        var golden = Golden(family);
        var adapted = PeftModel.Load(Base(family), Path.Combine(Folder(family), "adapter"));

        var merged = adapted.Merge();

        Assert.Equal(golden.GetProperty("adapter_loss").GetDouble(), Loss(adapted.Model), 1e-5);
        Assert.Equal(golden.GetProperty("adapter_loss").GetDouble(), Loss(merged), 1e-5);
        Assert.Equal(golden.GetProperty("loss").GetDouble(), Loss(Base(family)), 1e-5);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Create_OfAllLinear_AdaptsWhatPeftDoes(string family)
    {
        var peft = PeftModel.Create(
            Base(family), new LoraConfig { R = 3, LoraAlpha = 5, TargetModules = ModuleTargets.AllLinear });

        var config = (LoraConfig)peft.Config;
        var names = peft.Parameters.Select(static p => p.Name.Split(".lora_")[0]["base_model.model.".Length..]);
        Assert.Equal(Modules(family).Order(), names.Distinct().Order());
        Assert.Equal(["gate_up_proj", "down_proj", "gate.weight"], config.TargetParameters!);
        Assert.Equal([new(@".*\.gate_up_proj", 6)], config.RankPattern);
        Assert.Equal([new(@".*\.gate_up_proj", 10.0)], config.AlphaPattern);
        Assert.Equal(
            [4L * 6, 32],
            peft.Parameters.Single(static p => p.Name.EndsWith("layers.0.mlp.experts.base_layer.lora_A.weight", StringComparison.Ordinal))
                .Value.Shape!.ToStatic()!.Value.AsEnumerable());
        Assert.Equal(Loss(Base(family)), Loss(peft.Model), 1e-6);
    }

    [Fact]
    public void Create_WithRanksForExperts_TakesThem_AndRefusesThoseForNothing()
    {
        var config = new LoraConfig { R = 2, TargetModules = ["q_proj"], TargetParameters = ["gate_up_proj"] };

        var peft = PeftModel.Create(Base("mixtral"), config with { RankPattern = [new("gate_up_proj", 5)] });

        Assert.All(
            peft.Parameters.Where(static p => p.Name.Contains("experts", StringComparison.Ordinal)
                && p.Name.EndsWith("lora_A.weight", StringComparison.Ordinal)),
            static p => Assert.Equal(0, p.Value.Shape!.ToStatic()!.Value[0] % 5));
        var error = Assert.Throws<ConfigException>(
            () => PeftModel.Create(Base("mixtral"), config with { RankPattern = [new("down_proj", 5)] }));
        Assert.Contains("rank_pattern has 'down_proj', which matches no adapted module", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Save_AndLoad_GiveTheSameModel()
    {
        using var folder = new TemporaryFolder();
        var config = new LoraConfig { R = 2, TargetModules = ModuleTargets.AllLinear, InitLoraWeights = LoraInit.Random };
        var peft = PeftModel.Create(Base("mixtral"), config, seed: 5);

        peft.Save(folder.Path);
        var loaded = PeftModel.Load(Base("mixtral"), folder.Path);

        Assert.Equal(Loss(peft.Model), Loss(loaded.Model), 1e-9);
        Assert.NotEqual(Loss(peft.Model), Loss(peft.Base), 1e-3);
        Assert.Equal(Loss(peft.Model), Loss(peft.Merge()), 1e-5);
    }

    /// <summary>One of two parameters of a module has the module's own name.</summary>
    [Theory]
    [InlineData("down_proj", "mlp.experts")]
    [InlineData("experts.gate_up_proj", "mlp.experts")]
    [InlineData("mlp.gate.weight", "mlp.gate")]
    public void Create_OfOneParameter_NamesItAsPeft(string parameter, string expected)
    {
        var config = new LoraConfig { TargetParameters = [parameter], TargetModules = ModuleTargets.Create(["q_proj"]) };

        var peft = PeftModel.Create(Base("mixtral"), config);

        string[] names = [.. peft.Parameters.Select(static p => p.Name.Split(".lora_")[0].Split(".layers.")[1]).Distinct()];
        Assert.Equal(["0.mlp", "0.self_attn.q_proj", "1.mlp", "1.self_attn.q_proj"], names
            .Select(n => n.Replace(expected, "mlp", StringComparison.Ordinal)).Order());
    }

    /// <summary>An adapter's own words decide where the family is not one that HF PEFT converts.</summary>
    [Fact]
    public void Create_OfAllLinear_OnAnotherFamily_LeavesExpertsAndRouters()
    {
        var model = Base("mixtral");
        model.Metadata["hf_model_type"] = "qwen2_moe";

        var peft = PeftModel.Create(model, new LoraConfig { TargetModules = ModuleTargets.AllLinear });

        Assert.DoesNotContain(peft.Parameters, static p => p.Name.Contains(".mlp.", StringComparison.Ordinal));
    }

    public static TheoryData<LoraConfig, string> Refused => new()
    {
        { new LoraConfig { TargetParameters = ["up_proj"] }, "'up_proj'" },
        { new LoraConfig { TargetParameters = ["down_proj"], LoraDropout = 0.1 }, "lora_dropout is over 0" },
        { new LoraConfig { TargetParameters = ["down_proj"], UseDora = true }, "use_dora is true" },
        { new LoraConfig { TargetParameters = ["down_proj"], LoraBias = true }, "lora_bias is true" },
        { new LoraConfig { TargetParameters = ["down_proj"], InitLoraWeights = LoraInit.Pissa }, "init_lora_weights is" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void Create_OfWhatExpertsCannotHave_IsRefused(LoraConfig config, string expected)
    {
        var error = Assert.Throws<ConfigException>(() => PeftModel.Create(Base("mixtral"), config));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Contains("target_parameters", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_OfFullFineTuning_TrainsExpertsToo()
    {
        var peft = PeftModel.Create(Base("mixtral"), new FullConfig());

        Assert.Equal(
            HfCheckpoint.Open(Folder("mixtral")).Weights.Keys.Order(), peft.Parameters.Select(static p => p.Name).Order());
    }

    private static string Folder(string family) => Path.Combine(Fixtures.Folder, "families", family);

    private static Model Base(string family) => HfCheckpoint.Open(Folder(family)).ToModel();

    private static JsonElement Golden(string family)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder(family), "golden.json")));
        return document.RootElement.Clone();
    }

    private static IEnumerable<string> Modules(string family) =>
        Golden(family).GetProperty("modules").EnumerateArray().Select(static m => m.GetString()!);

    /// <summary>The mean cross entropy of the rows' tokens.</summary>
    private static double Loss(Model model)
    {
        var losses = Rows.SelectMany(row =>
        {
            var batch = new Dictionary<string, Tensor> { ["input_ids"] = Tensor.Of<long>(row, [1, row.Length]) };
            var logits = DecoderLogits.Of(model, DecoderLogits.WithPositions(batch));
            var (width, values) = ((int)logits.Dims[2], logits.ToFloat32());
            return Enumerable.Range(0, row.Length - 1).Select(place =>
            {
                double[] scores = [.. values[(place * width)..((place + 1) * width)].Select(static v => (double)v)];
                return Math.Log(scores.Sum(Math.Exp)) - scores[row[place + 1]];
            });
        });
        return losses.Average();
    }
}
