using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Llama;

public sealed class LlamaModuleTests
{
    private static readonly string[] Layer =
    [
        "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
        "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj",
    ];

    public static TheoryData<string> Configs => [.. SmallLlama.Configs.Keys];

    private static IEnumerable<string> Names =>
        Enumerable.Range(0, 2).SelectMany(static l => Layer.Select(m => $"model.layers.{l}.{m}"));

    [Theory]
    [MemberData(nameof(Configs))]
    public void LinearModules_OfAnImport_HaveHfsNames(string config)
    {
        var modules = Modules(SmallLlama.Model(config));

        Assert.Equal([.. Names, "lm_head"], modules.Select(static m => m.Name));
        Assert.Equal("lm_head", Assert.Single(modules, static m => m.IsOutputLayer).Name);
        Assert.All(modules, static m => Assert.True(m.IsOutByIn));
    }

    [Theory]
    [MemberData(nameof(Configs))]
    public void LinearModules_OfATorchExport_HaveTheSameNames(string config)
    {
        var modules = Modules(TorchNames.Of(SmallLlama.Model(config)));

        Assert.Equal([.. Names, "lm_head"], modules.Select(static m => m.Name));
        Assert.All(modules, static m => Assert.StartsWith("onnx::MatMul_", m.Weight.Name, StringComparison.Ordinal));
        Assert.All(modules, static m => Assert.False(m.IsOutByIn));
        Assert.Equal("lm_head", Assert.Single(modules, static m => m.IsOutputLayer).Name);
    }

    /// <summary>Both graphs are one function, whatever the weights' layout; 1e-5 is float32 rounding.</summary>
    [Theory]
    [MemberData(nameof(Configs))]
    public void Adapter_OfAnImport_FitsATorchExport(string config)
    {
        var lora = new LoraConfig { R = 2, InitLoraWeights = false, TargetModules = "all-linear" };
        var imported = PeftModel.Create(SmallLlama.Model(config), lora, seed: 1);
        var exported = PeftModel.Create(TorchNames.Of(SmallLlama.Model(config)), lora, seed: 2);

        exported.SetWeights(imported.GetWeights());

        var batch = SmallLlama.Batch("right-padded");
        var expected = DecoderLogits.Of(imported.Model, batch);
        Near.Absolute(expected, DecoderLogits.Of(exported.Model, batch), 1e-5, "logits");
        Near.Absolute(expected, DecoderLogits.Of(exported.Merge(), batch), 1e-4, "merged");
        Assert.Equal(14 * 2, imported.Parameters.Count);
        Assert.DoesNotContain(imported.Parameters, static p => p.Name.Contains("lm_head", StringComparison.Ordinal));
        Assert.False(((LoraConfig)exported.Config).FanInFanOut);
    }

    [Fact]
    public void Create_WhenNoTargetIsGiven_TakesQueriesAndValues()
    {
        var config = (LoraConfig)PeftModel.Create(SmallLlama.Model("llama"), new LoraConfig()).Config;

        Assert.Equal(["q_proj", "v_proj"], config.TargetModules!.Names);
        Assert.False(config.FanInFanOut);
    }

    private static IReadOnlyList<LinearModule> Modules(Model model)
    {
        CanonicalForm.Apply(model);
        return ModuleCatalogue.LinearModules(model.Graph);
    }
}
