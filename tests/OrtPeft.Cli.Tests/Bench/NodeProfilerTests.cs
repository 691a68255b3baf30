using OrtPeft.Cli.Bench;

namespace OrtPeft.Cli.Tests.Bench;

public sealed class NodeProfilerTests
{
    [Theory]
    [InlineData("/transformer/h.0/attn/c_attn/Gemm", "h/attn")]
    [InlineData("/transformer/h.11/attn/c_attn/Gemm", "h/attn")]
    [InlineData("/model/layers.3/mlp/down_proj/MatMul", "layers/mlp")]
    [InlineData("/gradient/transformer/h.1/mlp/c_fc/Gemm/MatMul", "backward h/mlp")]
    [InlineData("/gradient/transformer/ln_f/LayerNormalization/Mul", "backward ln_f")]
    [InlineData("/loss/Gemm", "loss")]
    [InlineData("Gemm_17", "other")]
    [InlineData("", "other")]
    public void PartOf_ANode_IsItsModuleWithoutNumbers(string node, string part) =>
        Assert.Equal(part, NodeProfiler.PartOf(node));
}
