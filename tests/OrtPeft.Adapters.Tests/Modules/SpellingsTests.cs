using OrtPeft.Adapters.Ia3;
using OrtPeft.Adapters.LnTuning;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Modules;
using OrtPeft.Adapters.Vera;
using OrtPeft.Models;
using OrtPeft.Onnx;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Modules;

/// <summary>A model's modules are the same whoever wrote its graph, and so is what is adapted by default.</summary>
public sealed class SpellingsTests
{
    private const string Llama = "families/llama exports/dynamo_llama.onnx exports/genai_int4_llama.onnx genai/llama-fp32 "
        + "genai/llama-int4 genai/llama-hf";

    private const string Qwen2 = "families/qwen2 genai/qwen2-fp32 genai/qwen2-int4 genai/qwen2-hf";

    private const string Granite = "families/granite exports/optimum_granite.onnx";

    private const string Gpt2 = "families/gpt2 base/g2l graphs/hf415_g2l_nopast_op11.onnx graphs/hf442_g2l_nopast_op13.onnx "
        + "graphs/hf442_g2l_nopast_op13_nofold.onnx graphs/hf442_g2l_past_op17.onnx graphs/nanogpt_g2l_op13.onnx "
        + "graphs/mslora_g2l_op13.onnx graphs/ortopt_extended_hf442_g2l_nopast_op13.onnx graphs/ortstyle_g2l_past_op11.onnx "
        + "graphs/genai_tiny_random_gpt2_fused/past.onnx";

    /// <summary>By method, the endings and how many modules of each there are in a layer.</summary>
    [Theory]
    [InlineData("lora", "self_attn.q_proj self_attn.v_proj", Llama)]
    [InlineData("lora", "self_attn.q_proj self_attn.v_proj", Qwen2)]
    [InlineData("lora", "self_attn.q_proj self_attn.v_proj", Granite)]
    [InlineData("lora", "attn.c_attn", Gpt2)]
    [InlineData("vera", "self_attn.q_proj self_attn.v_proj", Llama)]
    [InlineData("ia3", "mlp.down_proj self_attn.k_proj self_attn.v_proj", Llama)]
    [InlineData("ia3", "mlp.down_proj self_attn.q_proj self_attn.v_proj", Qwen2)]
    [InlineData("ia3", "attn.c_attn mlp.c_proj", Gpt2)]
    [InlineData("ln-tuning", "input_layernorm post_attention_layernorm", Llama)]
    [InlineData("ln-tuning", "post_attention_layernorm", Qwen2)]
    [InlineData(
        "all-linear",
        "mlp.down_proj mlp.gate_proj mlp.up_proj self_attn.k_proj self_attn.o_proj self_attn.q_proj self_attn.v_proj",
        $"{Llama} {Qwen2} {Granite}")]
    [InlineData("all-linear", "attn.c_attn attn.c_proj mlp.c_fc mlp.c_proj", Gpt2)]
    [InlineData("all-linear", "mlp.down_proj mlp.gate_up_proj self_attn.o_proj self_attn.qkv_proj", "families/phi3 genai/llama-int4")]
    public void Defaults_OfAllSpellingsOfAFamily_AreTheSameModules(string method, string expected, string spellings)
    {
        foreach (var spelling in spellings.Split(' '))
        {
            var model = Load(spelling);
            if (spellings.Contains("phi3", StringComparison.Ordinal))
                model.Metadata[MetadataKeys.BuilderType] = "phi3";

            var peft = PeftModel.Create(model, method switch
            {
                "lora" => new LoraConfig(),
                "vera" => new VeraConfig(),
                "ia3" => new Ia3Config(),
                "ln-tuning" => new LnTuningConfig(),
                _ => new LoraConfig { TargetModules = ModuleTargets.AllLinear },
            });

            var modules = peft.Parameters.Select(static p => p.Name).Where(static n => n.Contains(".0.", StringComparison.Ordinal))
                .Select(ModuleInLayer).Distinct().Order(StringComparer.Ordinal);
            Assert.Equal((spelling, expected), (spelling, string.Join(' ', modules)));
        }
    }

    /// <summary>Routers choose experts, and heads choose tokens: neither is adapted unless it is named.</summary>
    [Theory]
    [InlineData("families/mixtral")]
    [InlineData("families/qwen3_moe")]
    public void Defaults_OfMixtures_LeaveRoutersOut(string spelling)
    {
        var peft = PeftModel.Create(Load(spelling), new LoraConfig());

        Assert.DoesNotContain(peft.Parameters, static p => p.Name.Contains("gate", StringComparison.Ordinal));
        Assert.DoesNotContain(peft.Parameters, static p => p.Name.Contains("lm_head", StringComparison.Ordinal));
    }

    private static Model Load(string spelling) => ModelSource.Open(Path.Combine(Fixtures.Folder, spelling)).Model;

    /// <summary>Such as <c>attn.c_attn</c> of <c>base_model.model.transformer.h.0.attn.c_attn.lora_A.weight</c>.</summary>
    private static string ModuleInLayer(string name)
    {
        var parts = name[(name.IndexOf(".0.", StringComparison.Ordinal) + 3)..].Split('.');
        var end = Array.FindIndex(parts, static p => p.StartsWith("lora_", StringComparison.Ordinal) || p.StartsWith("ia3_", StringComparison.Ordinal)
            || p.StartsWith("vera_", StringComparison.Ordinal) || p is "weight" or "bias" or "ln_tuning_layers");
        return string.Join('.', parts[..end]);
    }
}
