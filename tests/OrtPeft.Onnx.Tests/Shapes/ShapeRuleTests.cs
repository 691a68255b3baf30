using OrtPeft.Onnx.Serialization;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Onnx.Shapes.Rules;
using OrtPeft.Onnx.Tests.Corpus;

namespace OrtPeft.Onnx.Tests.Shapes;

public sealed class ShapeRuleTests
{
    private static readonly Dictionary<string, long> Symbols = new() { ["B"] = 2, ["S"] = 3, ["P"] = 4 };

    /// <summary>Rules without a row in the table, with the reason.</summary>
    private static readonly Dictionary<string, string> NotCompared = new()
    {
        ["If"] = "has subgraphs; tested on the merged fixture",
        ["Scan"] = "has a body; tested with its gradient",
        ["com.microsoft.LayerNormalization"] = "an older spelling that no session loads",
        ["com.microsoft.SimplifiedLayerNormalization"] = "an older spelling that no session loads",
    };

    public static TheoryData<string> Cases => [.. OpCases.All];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Infer_OnOneNode_AgreesWithOnnxRuntime(string text)
    {
        var op = new OpCase(text);
        var model = op.Build();

        var actual = Run.Of(OnnxFile.ToBytes(model), OpInputs.For(model.Graph, Symbols), optimise: false);

        foreach (var output in model.Graph.Outputs)
        {
            var result = actual[output.Name];
            Assert.Equal(result.Type, output.Type);
            Assert.Equal(result.Dims.Length, output.Shape!.Rank);
            Assert.All(output.Shape.Zip(result.Dims), p => AssertLength(p.First, p.Second, op.LeavesUnknown));
        }
    }

    [Fact]
    public void Table_HasACaseForEveryRule()
    {
        var covered = OpCases.All.Select(static t => new OpCase(t)).Select(static c => (c.Domain, c.Op)).ToHashSet();

        var missing = ShapeRules.ByOp.Keys.Where(k => !covered.Contains(k)).Select(Name).Except(NotCompared.Keys);

        Assert.Empty(missing);
    }

    [Fact]
    public void Table_HasARuleForEveryCase()
    {
        var cases = OpCases.All.Select(static t => new OpCase(t)).Select(static c => (c.Domain, c.Op)).Distinct();

        Assert.All(cases, static k => Assert.Contains(k, ShapeRules.ByOp.Keys));
    }

    [Theory]
    [InlineData("MatMul(float[B,4]; float[5,B])", "inner")]
    [InlineData("Gemm(float[B,4]; float[5,B])", "inner")]
    [InlineData("Gemm(float[B,S,4]; float[4,B])", "rank 2")]
    [InlineData("Gemm(float[1,4]; float[4,5]; float[3,5])", "does not broadcast")]
    [InlineData("Add(float[B,4]; float[5])", "cannot be broadcast")]
    [InlineData("Add(float[B]; int64[B])", "element types")]
    [InlineData("Where(float[B]; float[B]; float[B])", "Bool")]
    [InlineData("Concat(float[B,4]; float[B]) axis=0", "rank 2")]
    [InlineData("Concat(float[B,4]; float[B,5]) axis=0", "must be equal")]
    [InlineData("Concat(float[B,4]; float[B,5]) axis=2", "axis 2")]
    [InlineData("Softmax(float[B,4]) axis=-3", "axis -3")]
    [InlineData("Transpose(float[B,4]) perm=[0,0]", "twice")]
    [InlineData("Transpose(float[B,4]) perm=[0]", "entries")]
    [InlineData("Reshape(float[2,3]; =4,-1)", "divided")]
    [InlineData("Reshape(float[2,3]; =4,2)", "elements")]
    [InlineData("Reshape(float[2,3]; =-1,-1)", "two lengths")]
    [InlineData("Squeeze(float[B,4]; =1)", "squeezed")]
    [InlineData("Split(float[B,7]; =2,4) axis=1 outputs=2", "sum of the parts")]
    [InlineData("Split(float[B,7]) axis=1 outputs=2", "equal parts")]
    [InlineData("Gather(float[B]; float[S])", "integers")]
    [InlineData("Neg()", "lacks input 0")]
    [InlineData("Neg(float[B]; float[B])", "at most 1")]
    [InlineData("Cast(float[B]) to=99", "not an element type")]
    [InlineData("Slice(float[9]; =0; =9; =0; =0)", "step is 0")]
    [InlineData("Einsum(float[B,S]) equation='i->i'", "does not fit")]
    public void Infer_OfAContradiction_NamesNodeOpsetAndShapes(string text, string message)
    {
        var error = Assert.Throws<GraphException>(() => new OpCase(text).Build());

        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Contains("(opset ", error.Message, StringComparison.Ordinal);
        Assert.Contains(new OpCase(text).Op, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    private static void AssertLength(Dim inferred, long actual, bool mayBeUnknown)
    {
        if (inferred.IsKnown || !mayBeUnknown)
            Assert.Equal(actual, inferred.Expression?.Evaluate(Symbols));
    }

    private static string Name((string Domain, string Op) key) =>
        key.Domain.Length == 0 ? key.Op : $"{key.Domain}.{key.Op}";
}
