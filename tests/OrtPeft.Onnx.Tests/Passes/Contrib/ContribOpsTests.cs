using OrtPeft.Onnx.Passes.Contrib;
using OrtPeft.Onnx.Tests.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Tests.Passes.Contrib;

public sealed class ContribOpsTests
{
    private static readonly Dictionary<string, long> Symbols = new() { ["B"] = 2, ["S"] = 3, ["P"] = 4, ["T"] = 7 };

    public static TheoryData<string> Cases => [.. ContribCases.All];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Run_OnAFusedNode_KeepsWhatItComputes(string text)
    {
        for (var seed = 0; seed < 4; seed++)
        {
            var model = Build(text);

            // Experts of random integers have results of up to ten, others of about one.
            var tolerance = text.Contains("QMoE", StringComparison.Ordinal) ? 1e-4f : 2e-5f;
            SameResults.Check(model, ContribOps.Run, NodeInputs.For(model.Graph, Symbols, seed), tolerance);

            Assert.All(model.Graph.Nodes, static n => Assert.Equal("", n.Domain));
        }
    }

    [Fact]
    public void Table_HasACaseForEveryRow()
    {
        var cases = ContribCases.All.Select(static t => new OpCase(t));
        var covered = cases.Select(static c => (c.Domain, c.Op)).ToHashSet();

        Assert.DoesNotContain(ContribOps.Operators, o => !covered.Contains(o));
    }

    [Theory]
    [InlineData("com.microsoft.Attention(float[B,S,8]; float[8,24]; float[24]) num_heads=2 do_rotary=1", "do_rotary")]
    [InlineData("com.microsoft.MatMulBnb4(float[B,32]; ~uint8[48]; ~float[3]) K=32 N=3 block_size=32 quant_type=1 transB=0", "transB")]
    [InlineData("com.microsoft.FusedGemm(float[6,4]; float[4,5]) activation='HardSigmoid'", "HardSigmoid")]
    [InlineData("com.microsoft.Attention(float[B,S,8]; float[8,24]; float[24]; int32[B,1,S,S]) num_heads=2", "mask")]
    public void Run_OnAFeatureBeyondReach_NamesNodeAndRemedy(string text, string feature)
    {
        var model = Build(text);

        var error = Assert.Throws<UnsupportedOpException>(() => ContribOps.Run(model));

        Assert.Contains(feature, error.Message, StringComparison.Ordinal);
        Assert.Contains("before ONNX Runtime's fusion", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("com.microsoft.GroupQueryAttention(float[B,S,64]; float[B,S,32]; float[B,S,32]; -; -; i=2,2; i=#3) " +
        "num_heads=4 kv_num_heads=2 k_quant_type='PER_TENSOR'", "k_quant_type")]
    [InlineData("com.microsoft.GroupQueryAttention(float[B,S,64]; float[B,S,32]; float[B,S,32]; -; -; i=2,2; i=#3) " +
        "num_heads=4 kv_num_heads=2 do_rotary=1", "cos_cache")]
    [InlineData("com.microsoft.MultiHeadAttention(float[B,S,8]; float[B,S,8]; float[B,S,8]; -; -; -; -; -; i=1) " +
        "num_heads=2", "inputs from 8 on")]
    [InlineData("com.microsoft.MultiHeadAttention(float[B,S,8]) num_heads=2", "operands")]
    public void Run_OnAttentionBeyondReach_NamesWhat(string text, string feature)
    {
        var error = Assert.Throws<UnsupportedOpException>(() => ContribOps.Run(Build(text)));

        Assert.Contains(feature, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void Run_OnAConvolutionLaidOutForAProcessor_AsksForAnotherLevel()
    {
        var model = new Model(21);
        model.Opsets["com.microsoft.nchwc"] = 1;
        var x = model.Graph.AddInput("x", ElementType.Float, [1, 8, 9, 9]);
        model.Graph.AddOutput(model.Graph.AddNode("ReorderInput", [x], ["y"], domain: "com.microsoft.nchwc").Output);

        var error = Assert.Throws<UnsupportedOpException>(() => ContribOps.Run(model));

        Assert.Contains("'extended'", error.Message, StringComparison.Ordinal);
    }

    /// <summary><c>sums=1</c> asks for the sum, output 3, with the statistics between left out.</summary>
    private static Model Build(string text)
    {
        var wantsSum = text.Contains(" sums=1", StringComparison.Ordinal);
        var model = new OpCase(text.Replace(" sums=1", "", StringComparison.Ordinal) + " opset=21").Build();
        if (!wantsSum)
            return model;
        var old = model.Graph.Nodes[0];
        string[] outputs = ["y", "", "", "sum"];
        var node = model.Graph.AddNode(old.OpType, old.Inputs, outputs, [.. old.Attributes], old.Domain, old.Name);
        model.Graph.RemoveOutput(old.Output);
        model.Graph.Remove(old);
        model.Graph.AddOutput(node.Outputs[0]);
        model.Graph.AddOutput(node.Outputs[3]);
        return model;
    }
}
