using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Passes.Newer;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Onnx.Tests.Passes.Contrib;
using OrtPeft.Onnx.Tests.Shapes;
using OrtPeft.Tensors;

using Evaluation = OrtPeft.Onnx.Tests.Corpus.Run;

namespace OrtPeft.Onnx.Tests.Passes.Newer;

public sealed class OpsetLoweringTests
{
    private static readonly Dictionary<string, long> Symbols = new() { ["B"] = 2, ["S"] = 3, ["P"] = 4, ["T"] = 7 };

    private static string[] Attention =>
    [
        "Attention(float[B,4,S,8]; float[B,4,P,8]; float[B,4,P,6])",
        "Attention(float[B,4,S,8]; float[B,2,P,8]; float[B,2,P,6]) scale=0.2f",
        "Attention(float[B,S,32]; float[B,P,16]; float[B,P,12]) q_num_heads=4 kv_num_heads=2",
        "Attention(float[B,4,S,8]; float[B,4,S,8]; float[B,4,S,8]) is_causal=1",
        "Attention(float[B,4,S,8]; float[B,4,P,8]; float[B,4,P,8]) is_causal=1",
        "Attention(float[B,4,S,8]; float[B,4,P,8]; float[B,4,P,8]; float[S,P])",
        "Attention(float[B,4,S,8]; float[B,4,P,8]; float[B,4,P,8]; float[4,S,P]) softcap=1.5f",
        "Attention(float[B,4,S,8]; float[B,4,P,8]; float[B,4,P,8]; bool[B,1,S,P])",
        "Attention(float[B,4,S,8]; float[B,2,S,8]; float[B,2,S,8]; bool[B,4,S,S]) softcap=2f",
        "Attention(float[B,4,S,8]; float[B,4,S,8]; float[B,4,S,8]; float[B,4,S,S]) is_causal=1 softcap=2f",
        "Attention(float[B,4,S,8]; float[B,4,S,8]; float[B,4,S,8]; float[1,4,S,T]; float[B,4,P,8]; " +
            "float[B,4,P,8]) outputs=3",
        "Attention(float[B,S,32]; float[B,S,16]; float[B,S,16]; bool[S,T]; float[B,2,P,8]; float[B,2,P,8]) " +
            "q_num_heads=4 kv_num_heads=2 is_causal=1 outputs=3",
        "Attention(float[B,4,S,8]; float[B,4,S,8]; float[B,4,S,8]; -; float[B,4,P,8]; float[B,4,P,8]) " +
            "is_causal=1 outputs=3",
        "Attention(float[B,4,1,8]; float[B,4,1,8]; float[B,4,1,8]; -; float[B,4,P,8]; float[B,4,P,8]) " +
            "is_causal=1 outputs=3 softmax_precision=1",
        "Attention(float[B,4,S,8]; float[B,4,P,8]; float[B,4,P,8]; float[S,P]) outputs=4 softcap=1f",
        "Attention(float[B,4,S,8]; float[B,4,P,8]; float[B,4,P,8]; float[S,P]) outputs=4 qk_matmul_output_mode=3",
        "Attention(float[B,4,S,8]; float[B,4,P,8]; float[B,4,P,8]; -; -; -; =3,1) opset=24",
        "Attention(float[B,4,S,8]; float[B,4,P,8]; float[B,4,P,8]; float[S,P]; -; -; =4,2) softcap=2f opset=24",
        "Attention(float[B,4,S,8]; float[B,4,P,8]; float[B,4,P,8]; bool[B,1,S,P]) opset=24",
    ];

    private static string[] Others =>
    [
        "RotaryEmbedding(float[B,2,S,8]; float[9,4]; float[9,4]; int64[B,S])",
        "RotaryEmbedding(float[B,2,S,8]; float[B,S,4]; float[B,S,4]) interleaved=1",
        "RotaryEmbedding(float[B,S,16]; float[9,4]; float[9,4]; int64[B,S]) num_heads=2 interleaved=1",
        "RotaryEmbedding(float[B,S,16]; float[B,S,2]; float[B,S,2]) num_heads=2 rotary_embedding_dim=4",
        "RotaryEmbedding(float[B,2,S,8]; float[9,2]; float[9,2]; int64[B,S]) rotary_embedding_dim=4 opset=24",
        "RMSNormalization(float[B,S,4]; float[4])",
        "RMSNormalization(float[B,S,4]; float[1]) epsilon=0.1f",
        "RMSNormalization(float[B,S,4]; float[S,4]) axis=1",
        "RMSNormalization(float[B,S,4]; float[4]) axis=-2 opset=24",
        "Swish(float[B,S]) opset=24",
        "Swish(float[B,S]) alpha=1.5f opset=24",
        "TensorScatter(float[B,2,P,4]; float[B,2,S,4]) opset=24",
        "TensorScatter(float[B,2,P,4]; float[B,2,2,4]; =2,1) opset=24",
        "TensorScatter(float[B,P,4]; float[B,S,4]; =3,2) axis=1 mode='circular' opset=24",
        "Cos(float[B]) opset=22",
        "Reshape(float[B,S,4]; =0,-1) opset=25",
    ];

    internal static IEnumerable<string> All => [.. Attention, .. Others];

    public static TheoryData<string> Cases => [.. All];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Run_OnANewerNode_KeepsWhatItComputes(string text)
    {
        for (var seed = 0; seed < 3; seed++)
        {
            var isVersioned = text.Contains("opset=", StringComparison.Ordinal);
            var model = new OpCase(isVersioned ? text : $"{text} opset=23").Build();

            SameResults.Check(model, OpsetLowering.Run, NodeInputs.For(model.Graph, Symbols, seed), 2e-5f);

            Assert.Equal(CanonicalForm.Opset, model.Opset);
            Assert.DoesNotContain(model.Graph.Nodes, static n => OpsetLowering.Operators.Contains(n.OpType));
        }
    }

    [Fact]
    public void Table_HasACaseForEveryRow()
    {
        var covered = All.Select(static c => new OpCase(c).Op).ToHashSet();

        Assert.DoesNotContain(OpsetLowering.Operators, o => !covered.Contains(o));
    }

    /// <summary>The mask is shorter than the keys: what it leaves out is hidden, as if it were said.</summary>
    [Fact]
    public void Run_OnAMaskThatEndsEarly_HidesTheRest()
    {
        const string Operands = "Attention(float[B,4,S,8]; float[B,4,P,8]; float[B,4,P,8]; bool[S,";
        var early = new OpCase(Operands + "3]) opset=24").Build();
        var counted = new OpCase(Operands + "P]; -; -; =3,3) opset=24").Build();
        OpsetLowering.Run(early);
        OpsetLowering.Run(counted);
        var inputs = NodeInputs.For(early.Graph, Symbols, seed: 4);
        var wider = NodeInputs.For(counted.Graph, Symbols, seed: 4);
        var mask = early.Graph.Inputs[3].Name;
        foreach (var name in inputs.Keys.Where(n => n != mask))
            wider[name] = inputs[name];
        inputs[mask] = NodeInputs.Flags(true, 3, 3);
        wider[mask] = NodeInputs.Flags(true, 3, 4);

        var expected = Evaluation.Of(OnnxFile.ToBytes(counted), wider, optimise: false);
        var actual = Evaluation.Of(OnnxFile.ToBytes(early), inputs, optimise: false);

        SameResults.Near(expected.Values.Single(), actual.Values.Single(), 1e-6f);
    }

    [Theory]
    [InlineData(
        "Attention(float[B,4,S,8]; float[B,4,P,8]; float[B,4,P,8]; float[S,P]) outputs=4 " +
            "qk_matmul_output_mode=1 opset=23",
        "output 3")]
    [InlineData("RotaryEmbedding(float[B,S,16]; float[B,S,2]; float[B,S,2]) opset=23", "num_heads 0")]
    public void Run_OnAFeatureBeyondReach_NamesTheNode(string text, string feature)
    {
        var model = new OpCase(text).Build();

        var error = Assert.Throws<UnsupportedOpException>(() => OpsetLowering.Run(model));

        Assert.Contains(feature, error.Message, StringComparison.Ordinal);
        Assert.Contains(new OpCase(text).Op, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("CumProd", "", 26, "CumProd")]
    [InlineData("DequantizeLinear", "output_dtype", 23, "output_dtype 10")]
    public void Run_OnANodeWithoutAFormInTheCanonicalOpset_NamesIt(string op, string attribute, int opset, string what)
    {
        var model = new Model(opset);
        var x = model.Graph.AddInput("x", ElementType.Float, [2]);
        NodeAttribute[] attributes = attribute.Length == 0 ? [] : [NodeAttribute.Of(attribute, 10L)];
        model.Graph.AddOutput(model.Graph.AddNode(op, [x], ["y"], attributes).Output);

        var error = Assert.Throws<UnsupportedOpException>(() => OpsetLowering.Run(model));

        Assert.Contains(what, error.Message, StringComparison.Ordinal);
        Assert.Contains($"opset {opset}", error.Message, StringComparison.Ordinal);
        Assert.Contains("export the model with opset 21", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_OnAnOpsetOfTheFuture_NamesTheNewestKnown()
    {
        var error = Assert.Throws<UnsupportedOpException>(static () => OpsetLowering.Run(new Model(99)));

        Assert.Contains("opset 99", error.Message, StringComparison.Ordinal);
        Assert.Contains($"up to {OpsetLowering.Newest}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_OnTheCanonicalOpset_ChangesNothing()
    {
        var model = new OpCase("Relu(float[B]) opset=21").Build();
        var nodes = model.Graph.Nodes.ToArray();

        OpsetLowering.Run(model);

        Assert.Equal(nodes, model.Graph.Nodes);
    }
}
