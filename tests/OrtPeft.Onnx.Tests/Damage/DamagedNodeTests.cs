using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Passes.Contrib;
using OrtPeft.Onnx.Passes.Newer;
using OrtPeft.Onnx.Shapes.Rules;
using OrtPeft.Onnx.Tests.Passes;
using OrtPeft.Onnx.Tests.Passes.Contrib;
using OrtPeft.Onnx.Tests.Passes.Newer;
using OrtPeft.Onnx.Tests.Shapes;
using OrtPeft.Testing;

namespace OrtPeft.Onnx.Tests.Damage;

/// <summary>
/// Every operator of the tables in forms that its definition does not have: shape rules and passes go through, or refuse
/// with an exception of ours that names the node. What they throw otherwise is a fault of their own.
/// </summary>
public sealed class DamagedNodeTests
{
    public static TheoryData<string> Cases =>
    [
        .. OpCases.All
            .Concat(ContribCases.All.Select(static c => c.Replace(" sums=1", "", StringComparison.Ordinal)))
            .Concat(OpsetLoweringTests.All)
            .Concat(OpsetUpgradeTests.All)
            .Distinct(),
    ];

    [Theory]
    [MemberData(nameof(Cases))]
    public void RulesAndPasses_GoThroughOrNameTheNode(string text)
    {
        // A tenth of the damages, another one for each length of a case's text: all of them take minutes.
        var damages = NodeDamage.Of(Build(text).Graph.Nodes[0]).Where((_, i) => (i + text.Length) % 16 == 0);

        var faults = damages.Select(d => FaultOf(text, d)).OfType<string>().ToArray();

        Assert.True(faults.Length == 0, string.Join('\n', faults));
    }

    /// <summary>A rule reads the inputs that must be there as they come: its row has checked them.</summary>
    [Fact]
    public void OperatorsThatPassesTakeApart_HaveAShapeRule()
    {
        var operators = ContribOps.Operators.Concat(OpsetLowering.Operators.Select(static op => ("", op)));

        Assert.All(operators, static op => Assert.Contains(op, ShapeRules.ByOp.Keys));
    }

    [Theory]
    [InlineData("Cast(float[B])", "lacks the attribute 'to'")]
    [InlineData("Cast(float[B]) to=4294967297", "not an element type")]
    [InlineData("Concat(float[B]; float[B])", "lacks the attribute 'axis'")]
    [InlineData("Concat(float[B]; -; float[B]) axis=0", "lacks input 1")]
    [InlineData("TopK(float[B,9]; =2)", "has 1 of 2 outputs")]
    [InlineData("Transpose(float[B,4]) perm=[-1,0]", "from the end")]
    [InlineData("Split(float[B,6]; =-2,8) axis=1 outputs=2", "length -2")]
    [InlineData("Dropout(float[B]; f=#0.5; f=#1)", "one Bool")]
    [InlineData("com.microsoft.Attention(float[B,S,8]; float[8,24]; float[24])", "lacks the attribute 'num_heads'")]
    [InlineData("com.microsoft.Attention(float[B,S,8]; float[8,24]; float[24]) num_heads=0", "'num_heads' is 0")]
    [InlineData("com.microsoft.Attention(float[B,8]; float[8,24]; float[24]) num_heads=2", "rank 3, not 2")]
    [InlineData("com.microsoft.MultiHeadAttention(float[B,8]) num_heads=2", "rank 3 or 5, not 2")]
    [InlineData(
        "com.microsoft.GroupQueryAttention(float[B,S,64]; float[B,S,32]; float[B,S,32]) num_heads=4 kv_num_heads=2",
        "lacks input 5 of the 7")]
    [InlineData("com.microsoft.EmbedLayerNormalization(int32[B,S]; -; -; float[9,8])", "lacks input 2 of the 7")]
    public void Infer_OfANodeThatLacksSomething_SaysWhat(string text, string lack)
    {
        var error = Assert.Throws<GraphException>(() => new OpCase(text).Build());

        Assert.Contains(lack, error.Message, StringComparison.Ordinal);
        Assert.Contains(new OpCase(text).Op, error.Message, StringComparison.Ordinal);
    }

    /// <summary>The nodes in a fused operator's place are none of the file's.</summary>
    [Fact]
    public void Run_WhenWhatTakesANodesPlaceIsWrong_NamesTheNode()
    {
        const string Text = "com.microsoft.Attention(float[B,S,8]; float[8,24]; float[7]) num_heads=2";
        var model = new OpCase(Text).Build();

        var error = Assert.Throws<GraphException>(() => ContribOps.Run(model));

        Assert.StartsWith("com.microsoft.Attention \"Attention\" (opset 18): Add \"Attention/Add\"", error.Message, default);
    }

    private static Model Build(string text)
    {
        var op = new OpCase(text);
        var isNew = op.Domain.Length == 0 && OpsetLowering.Operators.Contains(op.Op);
        return new OpCase(isNew && !text.Contains("opset=", StringComparison.Ordinal) ? $"{text} opset=24" : text).Build();
    }

    private static string? FaultOf(string text, NodeDamage damage)
    {
        var model = Build(text);
        NodeDraft.Replace(model.Graph.Nodes[0], damage);
        try
        {
            CanonicalForm.Apply(model);
            return null;
        }
        catch (Exception e) when (e is GraphException or UnsupportedOpException)
        {
            return e.Message.Contains(NodeDraft.Name, StringComparison.Ordinal) ? null : $"{damage.Text}: {e.Message}";
        }
        catch (Exception e)
        {
            return $"{damage.Text}: {e}";
        }
    }
}
