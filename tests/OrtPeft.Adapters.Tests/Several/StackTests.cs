using OrtPeft.Adapters.BitFit;
using OrtPeft.Adapters.Ia3;
using OrtPeft.Adapters.Loha;
using OrtPeft.Adapters.Lokr;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Vera;
using OrtPeft.Onnx;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Several;

/// <summary>Several adapters active at once: the sum of what each adds.</summary>
public sealed class StackTests
{
    private static readonly LoraConfig Random = new() { R = 4, InitLoraWeights = false, TargetModules = "all-linear" };

    private static readonly Dictionary<string, PeftConfig> Others = new(StringComparer.Ordinal)
    {
        ["lora"] = Random,
        ["lora:head"] = Random with { TargetModules = ["lm_head", "c_attn"] },
        ["lora:embedding"] = Random with { TargetModules = ["wte", "c_fc"] },
        ["lora:bias"] = Random with { LoraBias = true },
        ["loha"] = new LohaConfig { R = 2, InitWeights = false },
        ["lokr"] = new LokrConfig { R = 2, InitWeights = false },
        ["vera"] = new VeraConfig { R = 8, InitWeights = false },
    };

    public static TheoryData<string, string> Cases => Gpt2.With(Others.Keys);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Set_OfTwo_AnswersAsBothMerged(string graph, string other)
    {
        var model = PeftModel.Create(Gpt2.Open(graph), Random);
        model.Adapters.Add("second", Others[other], seed: 5);
        var alone = Answers.Of(model.Model);

        model.Adapters.Set("default", "second");

        Assert.InRange(Answers.Difference(model.Model, model.Merge()), 0, Answers.Rounding);
        Assert.NotInRange(Answers.Difference(alone, Answers.Of(model.Model)), 0, 100 * Answers.Rounding);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Set_OfThreeInAnyOrder_IsTheSame(string graph, string other)
    {
        var model = PeftModel.Create(Gpt2.Open(graph), Random);
        model.Adapters.Add("second", Others[other], seed: 5);
        model.Adapters.Add("third", new LohaConfig { R = 2, InitWeights = false, TargetModules = ["attn"] }, seed: 6);

        model.Adapters.Set("default", "second", "third");
        var one = Answers.Of(model.Model);
        model.Adapters.Set("third", "default", "second");

        Assert.InRange(Answers.Difference(one, Answers.Of(model.Model)), 0, Answers.Rounding);
    }

    [Fact]
    public void Set_OfTwo_AnswersAsOneMergedAfterTheOther()
    {
        using var folder = new TemporaryFolder();
        var model = PeftModel.Create(Gpt2.Open(Gpt2.Imported), Random);
        model.Adapters.Add("second", Random, seed: 5);
        model.Save(folder.Path);
        var first = model.Merge();
        var stacked = PeftModel.Load(first, Path.Combine(folder.Path, "second"));

        model.Adapters.Set("default", "second");

        Assert.InRange(Answers.Difference(model.Model, stacked.Model), 0, Answers.Rounding);
        Assert.InRange(Answers.Difference(model.Model, stacked.Merge()), 0, Answers.Rounding);
    }

    [Fact]
    public void Merge_OfTwo_RemembersBoth()
    {
        using var folder = new TemporaryFolder();
        var model = PeftModel.Create(Gpt2.Open(Gpt2.Imported), Random);
        model.Adapters.Add("second", Random, seed: 5);
        model.Save(folder.Path);
        model.Adapters.Set("default", "second");

        var merged = model.Merge();

        foreach (var path in new[] { folder.Path, Path.Combine(folder.Path, "second") })
            Assert.Throws<ConfigException>(PeftModel.Load(merged, path).Merge);
    }

    [Fact]
    public void Set_OfTwo_NamesParametersAsHfDoesInMemory()
    {
        var model = PeftModel.Create(Gpt2.Open(Gpt2.Imported), Random);
        model.Adapters.Add("chat", new VeraConfig { R = 8 });

        model.Adapters.Set("default", "chat");

        const string Layer = "base_model.model.transformer.h.0.attn.c_attn";
        Assert.Contains(model.Parameters, static p => p.Name == $"{Layer}.lora_A.default.weight");
        Assert.Contains(model.Parameters, static p => p.Name == $"{Layer}.vera_lambda_d.chat");
        Assert.Equal(["base_model.vera_A.chat", "base_model.vera_B.chat"], model.Buffers.Select(static b => b.Name));
        Assert.All(model.Parameters, p => Assert.Equal(p.Name, p.Value.Name));
        Assert.DoesNotContain(
            model.Model.Graph.Inputs, static i => i.Name.Contains("stand-in", StringComparison.Ordinal));
    }

    [Fact]
    public void SetWeights_OfTwo_ReachesEachAdapter()
    {
        var model = PeftModel.Create(Gpt2.Open(Gpt2.Imported), Random);
        model.Adapters.Add("chat", Random, seed: 3);
        model.Adapters.Set("default", "chat");
        var doubled = model.GetWeights().ToDictionary(static w => w.Key, static w => Doubled(w.Value));

        model.SetWeights(doubled);

        const string Name = "base_model.model.transformer.h.0.attn.c_attn.lora_A";
        Assert.Same(doubled[$"{Name}.chat.weight"], model.Adapters.WeightsOf("chat")[$"{Name}.weight"]);
        Assert.Same(doubled[$"{Name}.default.weight"], model.Adapters.WeightsOf("default")[$"{Name}.weight"]);
    }

    [Fact]
    public void Set_OfTwo_KeepsTheModelsInterface()
    {
        var plain = Gpt2.Canonical(Gpt2.Op17).Graph;
        var model = PeftModel.Create(Gpt2.Open(Gpt2.Op17), Others["lora:head"]);
        model.Adapters.Add("second", Others["lora:head"], seed: 1);

        model.Adapters.Set("default", "second");

        var graph = model.Model.Graph;
        Assert.Equal(plain.Inputs.Select(static i => i.Name), graph.Inputs.Select(static i => i.Name));
        Assert.Equal(plain.Outputs.Select(static o => o.Name), graph.Outputs.Select(static o => o.Name));
    }

    [Fact]
    public void Set_WhereLayersHaveNoNamesOfTheirOwn_FindsThemAgain()
    {
        var config = Random with { TargetModules = ["q_proj", "down_proj", "lm_head"] };
        var model = PeftModel.Create(LlamaLike.Build(), config);
        model.Adapters.Add("second", config, seed: 4);

        model.Adapters.Set("default", "second");

        Assert.InRange(Answers.Difference(Logits(model.Model), Logits(model.Merge())), 0, Answers.Rounding);
    }

    public static TheoryData<PeftConfig, string> Alone => new()
    {
        { Random with { UseDora = true }, "use_dora" },
        { new LoraConfig { R = 4, InitLoraWeights = "pissa" }, "PlainLora" },
        { Random with { Bias = "lora_only" }, "bias" },
        { Random with { TargetModules = ["c_attn"], ModulesToSave = ["lm_head"] }, "lm_head" },
        { new Ia3Config(), "IA3" },
        { new BitFitConfig(), "BITFIT" },
    };

    [Theory]
    [MemberData(nameof(Alone))]
    public void Set_OfOneThatDoesMoreThanAdd_SaysWhy(PeftConfig config, string reason)
    {
        var model = PeftModel.Create(Gpt2.Open(Gpt2.Imported), Random);
        model.Adapters.Add("alone", config);

        var error = Assert.Throws<ConfigException>(() => model.Adapters.Set("default", "alone"));

        Assert.StartsWith("'alone' cannot be active beside other adapters", error.Message, StringComparison.Ordinal);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.Equal(["default"], model.Adapters.ActiveNames);
    }

    private static float[] Logits(Model model)
    {
        var batch = new Dictionary<string, Tensor>
        {
            ["input_ids"] = Tensor.Of<long>([3, 1, 4, 1, 5], [1, 5]),
            ["attention_mask"] = Tensor.Of<long>([1, 1, 1, 1, 1], [1, 5]),
        };
        return OnnxRun.Of(model, batch)["logits"].ToFloat32();
    }

    private static Tensor Doubled(Tensor tensor) =>
        Tensor.Of<float>([.. tensor.ToFloat32().Select(static v => 2 * v)], tensor.Dims.AsSpan());
}
