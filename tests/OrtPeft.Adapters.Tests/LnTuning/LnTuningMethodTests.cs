using OrtPeft.Adapters.LnTuning;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.LnTuning;

public sealed class LnTuningMethodTests
{
    /// <summary>HF PEFT copies whatever module is named, a linear layer or an embedding too.</summary>
    [Theory]
    [InlineData(Gpt2.Imported, "ln_1,mlp.c_fc")]
    [InlineData(Gpt2.Imported, "wte")]
    [InlineData(Gpt2.Imported, "lm_head,ln_f")]
    [InlineData("hf442_g2l_nopast_op13_nopp", "lm_head,attn.c_proj,wpe")]
    public void Create_WhenOtherModulesAreNamed_TrainsThemAsWholes(string graph, string modules)
    {
        var config = new LnTuningConfig { TargetModules = ModuleTargets.Listed(modules.Split(',')) };
        var peft = Moved(PeftModel.Create(Gpt2.Open(graph), config));

        var whole = Whole(graph, modules, peft);
        Near.Relative(Answers(whole.Model), Answers(peft.Model), 1e-6, "logits");
        Near.Relative(Answers(whole.Model), Answers(peft.Merge()), 1e-6, "merged");
    }

    [Fact]
    public void Create_NamesWeightsAndBiasesAsHfPeft()
    {
        var config = new LnTuningConfig { TargetModules = ["h.0.mlp.c_fc", "ln_f"] };

        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), config);

        Assert.Equal(
            [
                "base_model.model.transformer.h.0.mlp.c_fc.ln_tuning_layers.bias [128]",
                "base_model.model.transformer.h.0.mlp.c_fc.ln_tuning_layers.weight [32,128]",
                "base_model.model.transformer.ln_f.ln_tuning_layers.bias [32]",
                "base_model.model.transformer.ln_f.ln_tuning_layers.weight [32]",
            ],
            peft.Parameters.Select(static p => $"{p.Name} [{string.Join(',', p.Value.Initializer!.Dims)}]").Order());
    }

    /// <summary>HF PEFT would copy a container as a whole, whose parameters have other names.</summary>
    [Theory]
    [InlineData("model.layers.0,norm", null, "input_layernorm,norm,post_attention_layernorm", true)]
    [InlineData("norm", null, "norm", false)]
    [InlineData("input_layernorm,up_proj", null, "input_layernorm,up_proj", false)]
    [InlineData("input_layernorm", 1, "input_layernorm", true)]
    public void Create_WritesTargetsThatMeanWhatWasTrained(string targets, int? layer, string endings, bool areWhole)
    {
        var config = new LnTuningConfig
        {
            TargetModules = ModuleTargets.Listed(targets.Split(',')),
            LayersToTransform = layer is { } number ? [number] : null,
        };

        var peft = PeftModel.Create(LlamaLike.Build(), config);

        var written = ((LnTuningConfig)peft.Config).TargetModules!.Names;
        Assert.Equal(endings.Split(','), written.Select(static n => n.Split('.')[^1]).Distinct().Order(StringComparer.Ordinal));
        Assert.Equal(areWhole, written.All(static n => n.StartsWith("model.", StringComparison.Ordinal)));
    }

    [Fact]
    public void Create_WhenAContainerHasNoNormalisation_SaysSo()
    {
        var config = new LnTuningConfig { TargetModules = ["mlp", "norm"] };

        var error = Assert.Throws<ConfigException>(() => PeftModel.Create(LlamaLike.Build(), config));

        Assert.Contains("target_modules has 'mlp'", error.Message, StringComparison.Ordinal);
    }

    /// <summary>The same modules as modules_to_save beside a LoRA that adds nothing.</summary>
    private static PeftModel Whole(string graph, string modules, PeftModel peft)
    {
        var config = new LoraConfig { R = 1, TargetModules = ["c_attn"], ModulesToSave = modules.Split(',') };
        var whole = PeftModel.Create(Gpt2.Open(graph), config);
        var moved = peft.GetWeights().ToDictionary(
            static w => w.Key.Replace(".ln_tuning_layers.", ".", StringComparison.Ordinal),
            static w => w.Value,
            StringComparer.Ordinal);
        whole.SetWeights(whole.GetWeights().ToDictionary(static w => w.Key, w => moved.GetValueOrDefault(w.Key, w.Value)));
        return whole;
    }

    private static PeftModel Moved(PeftModel peft)
    {
        peft.SetWeights(peft.GetWeights().ToDictionary(static w => w.Key, static w => Tensor.Of<float>(
            [.. w.Value.ToFloat32().Select(static (v, i) => (v * 1.1f) + (0.01f * (i % 7)))], w.Value.Dims.AsSpan())));
        return peft;
    }

    private static float[] Answers(Model model) => DecoderLogits.Of(model, TrainRun.Batch(0)).ToFloat32();
}
