using OrtPeft.Adapters.Ia3;
using OrtPeft.Adapters.LnTuning;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Modules;
using OrtPeft.Adapters.Vera;
using OrtPeft.Models;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Modules;

public sealed class DefaultTargetsTests
{
    /// <summary>HF PEFT's tables of default targets.</summary>
    [Fact]
    public void Lists_OfAllFamilies_AreThoseOfHfPeft()
    {
        Assert.Equal<string[]>(
            [["c_attn"], ["q_proj", "v_proj"], ["query_key_value"], ["Wqkv"], ["attn.qkv_proj"]], DefaultTargets.QueriesAndValues);
        Assert.Equal<string[]>(
            [
                ["q_proj", "v_proj", "mlp.fc2"], ["q_proj", "k_proj", "fc2"], ["q_proj", "v_proj", "fc_out"],
                ["q_proj", "v_proj", "mlp.c_proj"], ["k_proj", "v_proj", "w2"],
                ["c_attn", "mlp.c_proj"], ["k_proj", "v_proj", "down_proj"], ["query_key_value", "dense_4h_to_h"],
            ],
            DefaultTargets.OfIa3);
    }

    /// <summary>HF PEFT's default of each family by its layers' names; without one, every linear layer.</summary>
    [Theory]
    [InlineData("lora", "q_proj v_proj", "model.layers.0.self_attn.q_proj", "model.layers.0.self_attn.v_proj", "model.layers.0.mlp.gate_proj")]
    [InlineData("lora", "c_attn", "transformer.h.0.attn.c_attn", "transformer.h.0.mlp.c_fc")]
    [InlineData("lora", "q_proj v_proj fc1 fc2", "model.layers.0.self_attn.q_proj", "model.layers.0.self_attn.v_proj", "model.layers.0.mlp.fc1", "model.layers.0.mlp.fc2", "model.layers.0.self_attn.dense")]
    [InlineData("vera", "q_proj v_proj", "model.layers.0.self_attn.q_proj", "model.layers.0.self_attn.v_proj", "model.layers.0.mlp.fc1", "model.layers.0.mlp.fc2")]
    [InlineData("lora", "q_proj v_proj", "model.decoder.layers.0.self_attn.q_proj", "model.decoder.layers.0.self_attn.v_proj", "model.decoder.layers.0.fc1", "model.decoder.layers.0.fc2")]
    [InlineData("lora", "Wqkv", "transformer.blocks.0.attn.Wqkv", "transformer.blocks.0.ffn.up_proj")]
    [InlineData("lora", "qkv_proj", "transformer.h.0.attn.qkv_proj", "transformer.h.0.mlp.fc_in")]
    [InlineData("lora", "qkv_proj gate_up_proj", "model.layers.0.self_attn.qkv_proj", "model.layers.0.mlp.gate_up_proj", "lm_head")]
    [InlineData("ia3", "q_proj v_proj fc2", "model.layers.0.self_attn.q_proj", "model.layers.0.self_attn.k_proj", "model.layers.0.self_attn.v_proj", "model.layers.0.mlp.fc2")]
    [InlineData("ia3", "k_proj v_proj w2", "model.layers.0.self_attn.q_proj", "model.layers.0.self_attn.k_proj", "model.layers.0.self_attn.v_proj", "model.layers.0.block_sparse_moe.experts.0.w2")]
    [InlineData("ia3", "k_proj v_proj", "model.layers.0.self_attn.q_proj", "model.layers.0.self_attn.k_proj", "model.layers.0.self_attn.v_proj", "model.layers.0.self_attn.o_proj")]
    [InlineData("ia3", "q_proj k_proj fc2", "model.decoder.layers.0.self_attn.q_proj", "model.decoder.layers.0.self_attn.k_proj", "model.decoder.layers.0.self_attn.v_proj", "model.decoder.layers.0.fc2")]
    public void Create_WithoutTargets_TakesTheFamilysDefault(string method, string endings, params string[] layers)
    {
        var model = SmallGraphs.Of((g, x) => layers.Aggregate(x, (y, layer) => g.Op("Add", y, Product(g, layer, x))));

        var peft = PeftModel.Create(model, method switch
        {
            "lora" => new LoraConfig(),
            "vera" => new VeraConfig(),
            _ => new Ia3Config(),
        });

        var adapted = peft.GetWeights().Keys.Where(static n => n.Contains("layers.", StringComparison.Ordinal)
                || n.Contains("h.0", StringComparison.Ordinal) || n.Contains("blocks", StringComparison.Ordinal))
            .Select(n => layers.First(l => n.Contains($"{l}.", StringComparison.Ordinal)).Split('.')[^1]).Distinct();
        Assert.Equal(endings.Split(' ').Order(), adapted.Order());
    }

    /// <summary>Layers named as Llama's are adapted as HF PEFT's tables have each family, on every build of it.</summary>
    [Theory]
    [InlineData("families/llama", "k_proj v_proj down_proj", "input_layernorm post_attention_layernorm norm")]
    [InlineData("families/mistral", "k_proj v_proj down_proj", "input_layernorm post_attention_layernorm norm")]
    [InlineData("families/qwen2", "q_proj v_proj down_proj", "post_attention_layernorm")]
    [InlineData("families/qwen3", "q_proj v_proj down_proj", "post_attention_layernorm")]
    [InlineData("families/gemma2", "q_proj v_proj down_proj", Gemma2Norms)]
    [InlineData("families/gemma3", "q_proj v_proj down_proj", Gemma2Norms)]
    [InlineData("families/phi", "q_proj v_proj fc2", "input_layernorm final_layernorm")]
    [InlineData("families/opt", "q_proj k_proj fc2", "self_attn_layer_norm final_layer_norm")]
    [InlineData("families/gpt2", "c_attn c_proj", "ln_1 ln_2 ln_f")]
    [InlineData("genai/llama-fp32", "k_proj v_proj down_proj", "input_layernorm post_attention_layernorm norm")]
    [InlineData("genai/qwen2-fp32", "q_proj v_proj down_proj", "post_attention_layernorm")]
    [InlineData("genai/qwen2-int4", "q_proj v_proj down_proj", "post_attention_layernorm")]
    public void Create_OfIa3AndNormalisations_TakesTheFamilysDefault(string folder, string scaled, string norms)
    {
        var path = Path.Combine(Fixtures.Folder, folder);
        var model = File.Exists(Path.Combine(path, "model.onnx"))
            ? OnnxFile.Load(Path.Combine(path, "model.onnx"))
            : ModelSource.Open(path).Model;

        var ia3 = PeftModel.Create(model, new Ia3Config());
        var tuning = PeftModel.Create(model, new LnTuningConfig());

        Assert.Equal(scaled.Split(' ').Order(), Endings(ia3, ".ia3_l"));
        Assert.Equal(norms.Split(' ').Order(), Endings(tuning, ".ln_tuning_layers."));
    }

    private const string Gemma2Norms =
        "input_layernorm post_attention_layernorm pre_feedforward_layernorm post_feedforward_layernorm norm";

    private static IEnumerable<string> Endings(PeftModel model, string kind) => model.GetWeights().Keys
        .Select(n => n[..n.IndexOf(kind, StringComparison.Ordinal)].Split('.')[^1]).Distinct().Order();

    private static Onnx.Value Product(Onnx.Building.GraphBuilder g, string layer, Onnx.Value x)
    {
        g.Scope = "/" + layer.Replace('.', '/');
        return g.Op("MatMul", x, SmallGraphs.Weight(g, $"{layer}.weight", 2, 2));
    }
}
