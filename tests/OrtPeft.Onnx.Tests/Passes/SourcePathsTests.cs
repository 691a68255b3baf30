using OrtPeft.Onnx.Passes;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Tests.Passes;

public sealed class SourcePathsTests
{
    /// <summary>What TorchScript, Optimum, ONNX Runtime's optimisers and quantisers, and TensorFlow make of names.</summary>
    [Theory]
    [InlineData("/model/layers.0/self_attn/q_proj/MatMul", "model.layers.0.self_attn.q_proj")]
    [InlineData("/model/layers/0/self_attn/q_proj/MatMul_quant", "model.layers.0.self_attn.q_proj")]
    [InlineData("/m/transformer/h.1/mlp/c_fc/Gemm", "transformer.h.1.mlp.c_fc")]
    [InlineData("/lm_head/MatMul/MatMulScaleFusion", "lm_head")]
    [InlineData("/transformer/h.0/attn/c_attn/MatMul/MatMulAddFusion/", "transformer.h.0.attn.c_attn")]
    [InlineData("/model/layers.3/mlp/up_proj/MatMul_Q4", "model.layers.3.mlp.up_proj")]
    [InlineData("/model/layers.3/mlp/up_proj/MatMulNBits_2", "model.layers.3.mlp.up_proj")]
    [InlineData("/model/layers.3/mlp/up_proj/FusedMatMul", "model.layers.3.mlp.up_proj")]
    [InlineData("/model/layers.0/_orig_mod/self_attn/k_proj/MatMul", "model.layers.0.self_attn.k_proj")]
    [InlineData("/base_model/model/model/layers.0/self_attn/k_proj/MatMul", "model.layers.0.self_attn.k_proj")]
    [InlineData("/gpt_neox/layers.0/attention/dense/Gemm", "gpt_neox.layers.0.attention.dense")]
    [InlineData(
        "StatefulPartitionedCall/tf_llama/model/layers/0/self_attn/q_proj/Tensordot/MatMul",
        "model.layers.0.self_attn.q_proj")]
    [InlineData("tfgpt2/transformer/h_._0/attn/c_attn/MatMul", "transformer.h.0.attn.c_attn")]
    [InlineData("node_MatMul_90/MatMulScaleFusion//MatmulTransposeFusion/", null)]
    [InlineData("node_linear_7", null)]
    [InlineData("Attention_0/MatMul", null)]
    [InlineData("/MatMul_3", null)]
    [InlineData("", null)]
    public void OfScope_GivesTheModulesPath(string node, string? expected) =>
        Assert.Equal(expected, Paths().OfScope(node));

    [Theory]
    [InlineData("model.layers.0.mlp.up_proj.weight", "model.layers.0.mlp.up_proj")]
    [InlineData("model.layers.0.mlp.up_proj.weight_quantized", "model.layers.0.mlp.up_proj")]
    [InlineData("model.layers.0.mlp.up_proj.weight_Q4G32", "model.layers.0.mlp.up_proj")]
    [InlineData("model.layers.0.mlp.up_proj.weight_DequantizeLinear_Output", "model.layers.0.mlp.up_proj")]
    [InlineData("model.layers.0.mlp.up_proj.qweight", "model.layers.0.mlp.up_proj")]
    [InlineData("model.layers.0.mlp.up_proj.weight_merged_0", "model.layers.0.mlp.up_proj")]
    [InlineData("_orig_mod.transformer.h.0.attn.c_attn.bias", "transformer.h.0.attn.c_attn")]
    [InlineData("module.model.layers.0.mlp.up_proj.weight", "model.layers.0.mlp.up_proj")]
    [InlineData("onnx::MatMul_123", null)]
    [InlineData("val_76", null)]
    [InlineData("weight", null)]
    public void OfParameter_GivesTheModulesPath(string parameter, string? expected) =>
        Assert.Equal(expected, Paths().OfParameter(parameter));

    /// <summary>Optimum traces OPT's inner decoder: scopes begin there, parameters at the root.</summary>
    [Theory]
    [InlineData("/decoder/layers.0/self_attn/k_proj/MatMul", "model.decoder.layers.0.self_attn.k_proj")]
    [InlineData("/decoder/layers.0/fc1/Gemm", "model.decoder.layers.0.fc1")]
    [InlineData("/lm_head/MatMul", "lm_head")]
    public void OfScope_WhereParametersHaveMoreInFront_TakesIt(string node, string expected) =>
        Assert.Equal(expected, Paths("model.decoder.layers.0.self_attn.k_proj.bias").OfScope(node));

    /// <summary>Two towers have layers of the same names; which one a scope means is not known.</summary>
    [Fact]
    public void OfScope_WhereTwoPrefixesFit_TakesNone() => Assert.Equal(
        "layers.0.fc1", Paths("text.layers.0.ln.weight", "image.layers.0.ln.weight").OfScope("/layers.0/fc1/MatMul"));

    [Theory]
    [InlineData("/model/layers.0/attn/qkv_proj/MatMul", "model.layers.0.self_attn.qkv_proj")]
    [InlineData("/model/layers.1/attn/o_proj/MatMul_Q4", "model.layers.1.self_attn.o_proj")]
    [InlineData("/model/layers.1/mlp/down_proj/MatMul", "model.layers.1.mlp.down_proj")]
    [InlineData("/lm_head/MatMul", "lm_head")]
    public void OfScope_OfTheGenAiBuilder_IsHfs(string node, string expected) =>
        Assert.Equal(expected, Paths([], "/model/layers.0/attn/GroupQueryAttention").OfScope(node));

    [Theory]
    [InlineData("/model/layers.0/mlp/fc1/MatMul", "/model/layers.0/attn/o_proj/MatMul", "model.layers.0.self_attn.dense")]
    [InlineData(
        "/model/layers.0/operator_layernorm/LayerNorm", "/model/layers.0/mlp/up_proj/MatMul",
        "model.layers.0.feed_forward.w3")]
    public void OfScope_OfTheGenAiBuilder_KnowsOtherFamilies(string evidence, string node, string expected) =>
        Assert.Equal(expected, Paths([], "/model/layers.0/attn/GroupQueryAttention", evidence).OfScope(node));

    [Theory]
    [InlineData("model.layers.0.attn.q_norm.layernorm.weight", "model.layers.0.self_attn.q_norm.weight")]
    [InlineData("model.layers.0.attn.qkv_proj.Add.bias", "model.layers.0.self_attn.qkv_proj.bias")]
    [InlineData("model.layers.2.final_norm_layernorm.weight", "model.norm.weight")]
    [InlineData("model.layers.0.input_layernorm.weight", "model.layers.0.input_layernorm.weight")]
    public void Canonical_OfTheGenAiBuildersParameters_IsHfs(string name, string expected) =>
        Assert.Equal(expected, Paths([], "/model/layers.0/attn/GroupQueryAttention").Canonical(name));

    private static SourcePaths Paths(params string[] parameters) => Paths(parameters, []);

    private static SourcePaths Paths(string[] parameters, params string[] nodes)
    {
        var graph = new Model(21).Graph;
        foreach (var name in parameters)
            graph.AddInitializer(name, Tensor.Vector(1f, 2f));
        var x = graph.AddInput("x", ElementType.Float, [2]);
        foreach (var name in nodes)
            graph.AddNode("Identity", [x], [graph.FreshName("y")], name: name);
        return SourcePaths.Of(graph);
    }
}
