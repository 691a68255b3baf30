using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using Microsoft.ML.OnnxRuntime;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Kernels.Tests;

public sealed class KernelTests
{
    /// <summary>Of a result's largest number, or of 1: some tens of units of float32, added up along a row, and twice as
    /// many where the processor rounds products before it adds them.</summary>
    private static readonly double _tolerance = Fma.IsSupported || AdvSimd.IsSupported ? 4e-6 : 8e-6;

    public static TheoryData<string> Names => [.. KernelCases.ByName.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Run_ComparedWithStandardOperators_GivesTheSame(string name) => MustAgree(KernelCases.ByName[name]);

    /// <summary>Compares an operator with standard ones.</summary>
    internal static void MustAgree(KernelCase row)
    {
        var expected = row.Compute();
        var actual = OnnxRun.Of(Fused(row.Op, row.Inputs), KernelCase.Feeds(row.Inputs));

        Assert.Equal(expected.Keys.Order(), actual.Keys.Order());
        foreach (var (output, values) in expected)
        {
            var scale = values.ToFloat32().Select(Math.Abs).Append(1).Max();
            Near.Absolute(values, actual[output], _tolerance * scale, $"{row.Name}, {output}");
        }
    }

    /// <summary>The first output may take the first input's place: here that is a value nobody else reads.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Run_OverItsInput_GivesTheSame(string name)
    {
        var row = KernelCases.ByName[name];
        var feeds = KernelCase.Feeds(row.Inputs);

        var expected = OnnxRun.Of(Fused(row.Op, row.Inputs), feeds);
        var actual = OnnxRun.Of(Fused(row.Op, row.Inputs, behindNegations: true), feeds);

        Assert.All(expected, o => Assert.Equal(o.Value.ToFloat32(), actual[o.Key].ToFloat32()));
    }

    [Fact]
    public void All_WhenWalked_HaveCases() => Assert.Equal(
        FusedOps.All.Where(static op => op.Run is not null).Select(static op => op.Name).Order(),
        KernelCases.ByName.Values.Select(static c => c.Op).Distinct().Order());

    public static TheoryData<string, long[][], string> Mismatches => new()
    {
        { "Gelu", [[2, 8], [7]], "[7], not [8]" },
        { "GeluGrad", [[2, 8], [2, 7], [8]], "[2, 7], not [2, 8]" },
        { "LayerNorm", [[2, 8], [8], [7], []], "[7], not [8]" },
        { "LayerNormGrad", [[2, 8], [2, 8], [1, 8], []], "[1, 8], not [8]" },
        { "MaskedSoftmax", [[2, 3, 4, 5], [3, 5]], "mask of [3, 5]" },
        { "MaskedSoftmax", [[4, 5], [4, 5]], "[4, 5], not [b, h, q, k]" },
        { "MaskedSoftmaxGrad", [[2, 3, 4, 5], [2, 3, 4, 6]], "[2, 3, 4, 6], not [2, 3, 4, 5]" },
        { "MergeHeads", [[2, 3, 4, 5], [2, 3, 4, 5], [2, 3, 4, 6]], "[2, 3, 4, 6], not [2, 3, 4, 5]" },
        { "SwapAxes", [[2, 3, 4]], "[2, 3, 4], not [a, b, c, d]" },
        { "LowRankGrad", [[2, 3], [4, 5]], "[2, 3], not [4, 3]" },
        { "LowRankGrad", [[2, 3, 4], [4, 5]], "dU is [2, 3, 4], not [m, r]" },
    };

    [Theory]
    [MemberData(nameof(Mismatches))]
    public void Run_OfShapesThatDoNotFit_SaysWhich(string op, long[][] shapes, string finding)
    {
        Tensor[] inputs = [.. shapes.Select(Zeros)];

        var error = Assert.Throws<OnnxRuntimeException>(() => OnnxRun.Of(Fused(op, inputs), KernelCase.Feeds(inputs)));

        Assert.Contains(finding, error.Message, StringComparison.Ordinal);
        Assert.Contains($"{FusedOp.Domain}.{op}", error.Message, StringComparison.Ordinal);
    }

    /// <summary>What comes of axes without a name or a length is asked for its shape, which has no −1 in it.</summary>
    [Fact]
    public void Run_OfAxesWithoutNames_LeavesTheirLengthsOpen()
    {
        var model = new Model(KernelCase.Opset) { Opsets = { [FusedOp.Domain] = 1 } };
        var g = new GraphBuilder(model.Graph, new ShapeInference(KernelCase.Opset));
        var x = model.Graph.AddInput("x", ElementType.Float, Shape.Create([Dim.Unknown, Dim.Unknown, 4]));
        var rows = g.Ops("Gelu", 1, [x], [], FusedOp.Domain)[0];
        rows.Type = ElementType.Float;
        var flat = g.Reshape(g.Neg(rows), -1, 4);
        KernelCase.AddOutputs(model.Graph, [g.ReshapeTo(flat, g.Shape(rows))]);

        var result = OnnxRun.Of(model, new Dictionary<string, Tensor> { ["x"] = Zeros([2, 3, 4]) });

        Assert.Equal<long>([2, 3, 4], [.. result["y0"].Dims]);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(8)]
    public void CrossEntropy_OfATargetOutsideTheVocabulary_SaysWhich(long target)
    {
        Tensor[] inputs = [Tensor.Of<float>(new float[16], [2, 8]), Tensor.Of<long>([0, target], [2, 1])];

        var error = Assert.Throws<OnnxRuntimeException>(
            () => OnnxRun.Of(Fused("CrossEntropy", inputs), KernelCase.Feeds(inputs)));

        Assert.Contains($"target {target} is not in 0 to 7", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(9, 4)]
    [InlineData(24, 0)]
    public void SplitHeads_OfAWidthThatDoesNotFit_SaysSo(long width, long heads)
    {
        Tensor[] inputs = [Tensor.Of<float>(new float[2 * width], [1, 2, width]), Tensor.Scalar(heads)];

        var error = Assert.Throws<OnnxRuntimeException>(
            () => OnnxRun.Of(Fused("SplitHeads", inputs), KernelCase.Feeds(inputs)));

        Assert.Contains($"three times {heads} heads", error.Message, StringComparison.Ordinal);
    }

    /// <summary>In standard operators, such products have no defined result.</summary>
    [Fact]
    public void Attention_WithoutKeys_IsZeroAsIsItsGradient()
    {
        var (queries, none) = (Tensor.Of<float>([1, 2, 3, 4, 5, 6], [1, 1, 3, 2]), Zeros([1, 1, 0, 2]));
        Tensor[] shared = [queries, none, none, Tensor.Scalar(1f)];
        Tensor[] inputs = [.. shared, Zeros([1, 1, 1, 0])];

        var results = OnnxRun.Of(Fused("Attention", inputs), KernelCase.Feeds(inputs));
        Tensor[] ofGradient = [queries, .. shared, results["y0"], results["y1"], results["y2"], inputs[4]];
        var gradients = OnnxRun.Of(Fused("AttentionGrad", ofGradient), KernelCase.Feeds(ofGradient));

        Assert.All(results["y0"].ToFloat32(), static o => Assert.Equal(0, o));
        Assert.All(gradients["y0"].ToFloat32(), static dQ => Assert.Equal(0, dQ));
    }

    [Fact]
    public void SelfAttention_OfAWidthThatDoesNotFit_SaysSo()
    {
        Tensor[] inputs = [Zeros([1, 2, 9]), Tensor.Scalar(4L), Zeros([]), Zeros([2, 2])];

        var error = Assert.Throws<OnnxRuntimeException>(
            () => OnnxRun.Of(Fused("SelfAttention", inputs), KernelCase.Feeds(inputs)));

        Assert.Contains("[1, 2, 9] is not three times 4 heads", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void SelfAttentionGrad_OfRowsThatDoNotFit_SaysWhich()
    {
        Tensor[] inputs =
        [
            Zeros([1, 2, 3]), Zeros([1, 2, 12]), Tensor.Scalar(2L), Zeros([]), Zeros([1, 2, 4]), Zeros([1, 2, 2]),
            Zeros([1, 2, 2]), Zeros([]),
        ];

        var error = Assert.Throws<OnnxRuntimeException>(
            () => OnnxRun.Of(Fused("SelfAttentionGrad", inputs), KernelCase.Feeds(inputs)));

        Assert.Contains("[1, 2, 3], not [1, 2, 4]", error.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, long[], long[], long[], string> WrongProducts => new()
    {
        { "MatMul", [2, 9], [1, 48, 48], [8, 16], "[2, 9] does not end in 8, the matrix's rows" },
        { "MatMulTransposed", [2, 9], [1, 48, 48], [8, 16], "does not end in 16, the matrix's columns" },
        { "MatMul", [2, 8], [1, 48, 48], [8, 49], "[1, 48, 48], not [2, 48, 48]" },
        { "MatMul", [2, 49], [1, 48, 48], [49, 8], "[1, 48, 48], not [1, 96, 48]" },
        { "MatMul", [2, 8], [1, 48, 48], [8, 16, 1], "[3], not [2]" },
        { "MatMul", [], [1, 48, 48], [8, 16], "X is [], not [..., *]" },
    };

    [Theory]
    [MemberData(nameof(WrongProducts))]
    public void MatMul_OfShapesThatDoNotFit_SaysWhich(string op, long[] x, long[] packed, long[] dims, string finding)
    {
        Tensor[] inputs = [Zeros(x), Zeros(packed), Tensor.Vector(dims)];

        var error = Assert.Throws<OnnxRuntimeException>(() => OnnxRun.Of(Fused(op, inputs), KernelCase.Feeds(inputs)));

        Assert.Contains(finding, error.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, long[][], string> WrongAdditions => new()
    {
        { "MatMul", [[7]], "[7], not [16]" },
        { "MatMul", [[16], [3, 16]], "[3, 16], not [2, 16]" },
        { "MatMulGelu", [[16, 1]], "[16, 1], not [columns]" },
        { "MatMulLora", [[4, 7], [16, 4], []], "[4, 7], not [4, 8]" },
        { "MatMulLora", [[4, 8], [16, 5], []], "[16, 5], not [16, 4]" },
        { "MatMulLora", [[65, 8], [16, 65], []], "the rank is 65, not 1 to 64" },
    };

    [Theory]
    [MemberData(nameof(WrongAdditions))]
    public void MatMul_OfFurtherShapesThatDoNotFit_SaysWhich(string op, long[][] further, string finding)
    {
        Tensor[] inputs = [Zeros([2, 8]), Zeros([1, 48, 48]), Tensor.Vector<long>(8, 16), .. further.Select(Zeros)];

        var error = Assert.Throws<OnnxRuntimeException>(() => OnnxRun.Of(Fused(op, inputs), KernelCase.Feeds(inputs)));

        Assert.Contains(finding, error.Message, StringComparison.Ordinal);
    }

    private static Tensor Zeros(long[] dims) =>
        Tensor.Of<float>(new float[dims.Aggregate(1L, static (product, dim) => product * dim)], dims);

    private static Model Fused(string op, IReadOnlyList<Tensor?> inputs, bool behindNegations = false)
    {
        var model = new Model(KernelCase.Opset) { Opsets = { [FusedOp.Domain] = 1 } };
        var g = new GraphBuilder(model.Graph, new ShapeInference(KernelCase.Opset));
        Value?[] values = [.. KernelCase.AddInputs(model.Graph, inputs)];
        if (behindNegations && values[0]!.Type == ElementType.Float)
            values[0] = g.Neg(g.Neg(values[0]!));
        var outputs = FusedOps.All.Single(k => k.Name == op).Signature.Outputs;
        var results = g.Ops(op, outputs.Length, values, [], FusedOp.Domain);
        KernelCase.AddOutputs(model.Graph, [.. results.Zip(outputs, (value, operand) =>
            operand.Type == ElementType.Float ? value : g.Cast(value, ElementType.Float))]);
        return model;
    }
}
