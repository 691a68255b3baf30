using System.Text.Json.Nodes;
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

    /// <summary>As ONNX Runtime writes it: a large tensor on the CPU counts, a short one does not, nor what the device runs.</summary>
    [Fact]
    public void Read_OfStepsOnADevice_NamesWhatRanOnTheCpu()
    {
        using var profiler = new NodeProfiler();
        File.WriteAllText($"{profiler.Prefix}_1.json", $"[{string.Join(',',
            Node("ScatterND", "CPUExecutionProvider", """{"int64":[3]},{"float":[8,16]}"""),
            Node("LogSoftmax", "WebGpuExecutionProvider", """{"float":[8,512]}"""),
            Node("Add", "CPUExecutionProvider", """{"float":[2,32]},{"int64":[100]}"""),
            Node("Gather", "CPUExecutionProvider", """{"int64":[4096]}"""))}]");

        Assert.Equal(["ScatterND"], profiler.Read(1, onDevice: true).OnCpu!.Select(static e => e.Name));
        Assert.Null(profiler.Read(1, onDevice: false).OnCpu);
        Assert.Equal(4, profiler.Read(1, onDevice: true).ByOperator.Count);
    }

    private static string Node(string op, string provider, string tensors) => new JsonObject
    {
        ["name"] = $"/{op}_kernel_time",
        ["dur"] = 5,
        ["args"] = new JsonObject
        {
            ["op_name"] = op,
            ["provider"] = provider,
            ["input_type_shape"] = JsonNode.Parse($"[{tensors}]"),
            ["output_type_shape"] = new JsonArray(),
        },
    }.ToJsonString();
}
