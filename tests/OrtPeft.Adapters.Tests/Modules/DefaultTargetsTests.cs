using OrtPeft.Adapters.Ia3;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Modules;
using OrtPeft.Adapters.Vera;

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

    private static Onnx.Value Product(Onnx.Building.GraphBuilder g, string layer, Onnx.Value x)
    {
        g.Scope = "/" + layer.Replace('.', '/');
        return g.Op("MatMul", x, SmallGraphs.Weight(g, $"{layer}.weight", 2, 2));
    }
}
