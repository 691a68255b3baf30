using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Merging;
using OrtPeft.Adapters.Modules;
using OrtPeft.Adapters.Tests.Proof;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Modules;

/// <summary>
/// One layer of four features in and six out, W [6, 4] and a bias, as exporters and optimisers write it: in each form it is
/// a module under its weight's name, its adapter has the true gradient, and a merge gives what the adapter gave.
/// </summary>
public sealed class LinearFormsTests
{
    private const int Ins = 4;
    private const int Outs = 6;
    private const int Rows = 6;

    /// <summary>From x [2, 3, 4] to y [2, 3, 6]; W is stored by the given name.</summary>
    private static readonly Dictionary<string, Func<GraphBuilder, Value, Value>> Forms = new()
    {
        ["MatMul"] = static (g, x) => g.MatMul(x, W(g, [Ins, Outs])),
        ["MatMul, transposed weight"] = static (g, x) => g.MatMul(x, g.Transpose(W(g), 1, 0)),
        ["MatMul, weight [1, in, out]"] = static (g, x) => g.MatMul(x, W(g, [1, Ins, Outs])),
        ["MatMul, weight behind Reshape"] = static (g, x) => g.MatMul(x, g.Reshape(W(g, [Ins * Outs], isTurned: true), Ins, Outs)),
        ["MatMul, weight behind Reshape and Transpose"] = static (g, x) =>
            g.MatMul(x, g.Transpose(g.Reshape(W(g, [Outs * Ins]), Outs, Ins), 1, 0)),
        ["MatMul, weight behind Transpose, Reshape"] = static (g, x) =>
            g.MatMul(x, g.Reshape(g.Transpose(W(g, [2, 3, Ins]), 2, 0, 1), Ins, Outs)),
        ["MatMul, weight behind Unsqueeze"] = static (g, x) => g.MatMul(x, g.Unsqueeze(W(g, [Ins, Outs]), 0)),
        ["MatMul, weight behind Squeeze"] = static (g, x) => g.MatMul(x, g.Squeeze(W(g, [Ins, 1, Outs]), 1)),
        ["MatMul, weight times constant"] = static (g, x) => g.MatMul(x, g.Mul(W(g, [Ins, Outs], by: 0.5f), Vector(g, 2))),
        ["MatMul, weight joined"] = static (g, x) => g.MatMul(x, g.Concat(
            1, Part(g, "model.layers.0.mlp.fc.weight", 4), Part(g, "nothing", 0), Part(g, "rest", 2))),
        ["MatMul, weight of float16 cast"] = static (g, x) => g.MatMul(x, g.Cast(Half(g), ElementType.Float)),
        ["MatMul, weight on the left"] = static (g, x) => g.Transpose(g.MatMul(W(g), g.Transpose(x, 0, 2, 1)), 0, 2, 1),
        ["MatMul, transposed weight on the left"] = static (g, x) =>
            g.Transpose(g.MatMul(g.Transpose(W(g, [Ins, Outs]), 1, 0), g.Transpose(x, 0, 2, 1)), 0, 2, 1),
        ["MatMul, bias [1, 1, out]"] = static (g, x) => g.Add(g.MatMul(x, W(g, [Ins, Outs])), B(g, 1, 1, Outs)),
        ["MatMul, weight on the left, bias [out, 1]"] = static (g, x) =>
            g.Transpose(g.Add(B(g, Outs, 1), g.MatMul(W(g), g.Transpose(x, 0, 2, 1))), 0, 2, 1),
        ["Conv of points"] = static (g, x) => g.Transpose(
            g.Op("Conv", g.Transpose(x, 0, 2, 1), W(g, [Outs, Ins, 1]), B(g, Outs)), 0, 2, 1),
        ["Gemm"] = static (g, x) => Folded(g, x, r => g.Gemm(r, W(g), B(g, Outs), transB: true)),
        ["Gemm, bias [1, out]"] = static (g, x) => Folded(g, x, r => g.Gemm(r, W(g), B(g, 1, Outs), transB: true)),
        ["Gemm, transA"] = static (g, x) => Folded(
            g, x, r => Gemm(g, g.Transpose(r, 1, 0), W(g, [Ins, Outs]), B(g, Outs), transA: 1)),
        ["Gemm, transA and transB"] = static (g, x) => Folded(
            g, x, r => Gemm(g, g.Transpose(r, 1, 0), W(g), B(g, Outs), transA: 1, transB: 1)),
        ["Gemm, weight on the left"] = static (g, x) => Folded(
            g, x, r => g.Transpose(Gemm(g, W(g), r, B(g, Outs, 1), transB: 1), 1, 0)),
        ["Gemm, weight on the left, all transposed"] = static (g, x) => Folded(
            g, x, r => g.Transpose(Gemm(g, W(g, [Ins, Outs]), g.Transpose(r, 1, 0), B(g, Outs, 1), transA: 1), 1, 0)),
        ["Gemm, factors"] = static (g, x) => Folded(g, x, r => Gemm(
            g, r, W(g), B(g, Outs), transB: 1, alpha: 0.5f, beta: 3)),
        ["Gemm, factors, weight on the left"] = static (g, x) => Folded(
            g, x, r => g.Transpose(Gemm(g, W(g), r, B(g, Outs, 1), transB: 1, alpha: 0.5f, beta: 3), 1, 0)),
        ["Gemm, one number for a bias"] = static (g, x) => Folded(g, x, r => g.Gemm(r, W(g), Vector(g, 2), transB: true)),
        ["Einsum bsh,oh->bso"] = static (g, x) => Einsum(g, "bsh,oh->bso", x, W(g)),
        ["Einsum bsh,ho->bso"] = static (g, x) => Einsum(g, " bsh , ho -> bso", x, W(g, [Ins, Outs])),
        ["Einsum ...h,oh->...o"] = static (g, x) => Einsum(g, "...h,oh->...o", x, W(g)),
        ["Einsum oh,bsh->bso"] = static (g, x) => Einsum(g, "oh,bsh->bso", W(g), x),
        ["Einsum bsh,oh->bos"] = static (g, x) => g.Transpose(Einsum(g, "bsh,oh->bos", x, W(g)), 0, 2, 1),
        ["Einsum sbh,ho->bso"] = static (g, x) => Einsum(g, "sbh,ho->bso", g.Transpose(x, 1, 0, 2), W(g, [Ins, Outs])),
        ["Einsum bhs,oh->bso"] = static (g, x) => Einsum(g, "bhs,oh->bso", g.Transpose(x, 0, 2, 1), W(g)),
        ["Einsum without an arrow"] = static (g, x) => Einsum(g, "abz,zc", x, W(g, [Ins, Outs])),
        ["Einsum of heads bsh,hnd->bsnd"] = static (g, x) =>
            g.Reshape(Einsum(g, "bsh,hnd->bsnd", x, W(g, [Ins, 2, 3])), 0, 0, Outs),
        ["Einsum of heads bsh,hnd->bnsd"] = static (g, x) =>
            g.Reshape(g.Transpose(Einsum(g, "bsh,hnd->bnsd", x, W(g, [Ins, 2, 3])), 0, 2, 1, 3), 0, 0, Outs),
        ["Einsum of heads bsh,ndh->bsnd"] = static (g, x) =>
            g.Reshape(Einsum(g, "bsh,ndh->bsnd", x, W(g, [2, 3, Ins])), 0, 0, Outs),
        ["Einsum over heads bsnd,ndh->bsh"] = static (g, x) =>
            Einsum(g, "bsnd,ndh->bsh", g.Reshape(x, 0, 0, 2, 2), W(g, [2, 2, Outs])),
        ["Einsum over heads bnsd,hnd->bsh"] = static (g, x) =>
            Einsum(g, "bnsd,hnd->bsh", g.Transpose(g.Reshape(x, 0, 0, 2, 2), 0, 2, 1, 3), W(g, [Outs, 2, 2])),
        ["QDQ"] = static (g, x) => g.MatMul(x, Quantized(g, [Ins, Outs])),
        ["QDQ behind Transpose"] = static (g, x) => g.MatMul(x, g.Transpose(Quantized(g, [Outs, Ins]), 1, 0)),
        ["QDQ behind Reshape"] = static (g, x) => g.MatMul(x, g.Reshape(Quantized(g, [Ins, 2, 3]), Ins, Outs)),
        ["QDQ in Einsum"] = static (g, x) => Einsum(g, "bsh,oh->bso", x, Quantized(g, [Outs, Ins])),
        ["QDQ in a Conv of points"] = static (g, x) => InConv(g, x, Quantized(g, [Outs, Ins, 1])),
        ["QDQ of floats"] = static (g, x) => g.MatMul(x, Rounded(g, [Ins, Outs], axis: 1)),
        ["QDQ of floats behind Transpose"] = static (g, x) => g.MatMul(x, g.Transpose(Rounded(g, [Outs, Ins], axis: -2), 1, 0)),
        ["QDQ of floats in a Conv of points"] = static (g, x) => InConv(g, x, Rounded(g, [Outs, Ins, 1], axis: -3)),
        ["QDQ of MatMulBnb4"] = static (g, x) => Bnb4(g, x),
        ["QDQ on the left"] = static (g, x) =>
            g.Transpose(g.MatMul(Quantized(g, [Outs, Ins]), g.Transpose(x, 0, 2, 1)), 0, 2, 1),
    };

    public static TheoryData<string> Names => [.. Forms.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void LinearModules_OfAnyForm_IsTheLayerUnderItsWeightsName(string form)
    {
        var canonical = BaseModel.Of(Build(form)).Canonical;

        var module = Assert.Single(ModuleCatalogue.LinearModules(canonical.Graph));

        Assert.Equal(("model.layers.0.mlp.fc", true), (module.Name, module.HasSourceName));
        Assert.Equal((Ins, Outs), (module.InFeatures, module.OutFeatures));
        Assert.Equal(Answer(Build(form)), Answer(canonical), static (a, b) => Math.Abs(a - b) < 1e-5f);
        var isBiased = form.Contains("bias [", StringComparison.Ordinal) || form is "Gemm" or "Conv of points"
            || form.Contains("trans", StringComparison.Ordinal) && form.StartsWith("Gemm, trans", StringComparison.Ordinal);
        Assert.True(!isBiased || module.Bias is { Name: "model.layers.0.mlp.fc.bias" }, "the bias is found");
    }

    /// <summary>Numbers in few bits are float32; the forms of their products are among the others.</summary>
    public static TheoryData<string> OfFloats => [.. Forms.Keys.Where(static f => !f.StartsWith("QDQ", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(OfFloats))]
    public void Gradient_OfAnyForm_IsTheDifference(string form) =>
        AdapterGradient.MustBeTheDifference(Adapted(Build(form)), Probe.Numbers(Rows * Ins, 0.3), Rows);

    [Theory]
    [MemberData(nameof(Names))]
    public void Merge_OfAnyForm_GivesWhatTheAdapterGave(string form)
    {
        var peft = Adapted(Build(form));
        var beside = Answer(peft.Model);

        var merged = peft.MergeAs(MergeForm.Float);

        var tolerance = form.Contains("float16", StringComparison.Ordinal) ? 5e-3f : 2e-5f;
        Assert.Equal(beside, Answer(merged.Model), (a, b) => Math.Abs(a - b) < tolerance);
        Assert.NotEqual(beside, Answer(Build(form)), static (a, b) => Math.Abs(a - b) < 1e-2f);
        var isComputed = form.Contains("times", StringComparison.Ordinal)
            || form.Contains("of floats", StringComparison.Ordinal)
            || form is "MatMul, weight behind Transpose, Reshape" or "MatMul, weight joined" or "QDQ behind Reshape"
                or "QDQ in a Conv of points";
        Assert.True(merged.IsSourceGraph || isComputed, "the source graph is kept");
        if (!merged.IsSourceGraph || form.StartsWith("QDQ", StringComparison.Ordinal))
            return;
        Assert.Equal(Build(form).Graph.Nodes.Select(static n => n.OpType), merged.Model.Graph.Nodes.Select(static n => n.OpType));
    }

    /// <summary>Products with a matrix for each row, sums over an axis and diagonals are not layers; they stay.</summary>
    [Theory]
    [InlineData("bsh,bho->bso")]
    [InlineData("bsh,sho->bso")]
    [InlineData("bsh,ohx->bso")]
    [InlineData("bsh,hoh->bso")]
    public void LinearModules_OfOtherEinsums_IsNone(string equation)
    {
        var model = new Model(opset: 21);
        var g = new GraphBuilder(model.Graph, new ShapeInference(21));
        var x = model.Graph.AddInput("x", ElementType.Float, [2, Ins, Ins]);
        var dims = equation.Split(',')[1].Split('-')[0].Select(static l => l == 'b' ? 2L : Ins).ToArray();
        var count = (int)dims.Aggregate(1L, static (a, b) => a * b);
        var w = model.Graph.AddInitializer("a.weight", Tensor.Of<float>(new float[count], dims));
        model.Graph.AddOutput(Einsum(g, equation, x, w));

        Assert.Empty(ModuleCatalogue.LinearModules(BaseModel.Of(model).Canonical.Graph));
    }

    private static PeftModel Adapted(Model model)
    {
        var peft = PeftModel.Create(model, new LoraConfig { R = 2, LoraAlpha = 3, TargetModules = ["fc"] });
        var weights = peft.GetWeights().Select(static (w, n) => KeyValuePair.Create(w.Key, Tensor.Of<float>(
            [.. Probe.Numbers((int)w.Value.Count, n + 0.2).Select(static v => (float)v)], w.Value.Dims.AsSpan())));
        peft.SetWeights(new Dictionary<string, Tensor>(weights));
        return peft;
    }

    /// <summary>Rows are taken apart into two sequences of three before the layer and put together after it.</summary>
    private static Model Build(string form)
    {
        var model = new Model(opset: 21);
        model.Opsets["com.microsoft"] = 1;
        var g = new GraphBuilder(model.Graph, new ShapeInference(21));
        var x = model.Graph.AddInput("x", ElementType.Float, [Dim.Named("batch"), Ins]);
        var y = Forms[form](g, g.Reshape(x, 2, 3, Ins));
        model.Graph.AddOutput(g.Reshape(y, Rows, Outs));
        return model;
    }

    private static float[] Answer(Model model)
    {
        var x = Tensor.Of<float>([.. Probe.Numbers(Rows * Ins, 0.3).Select(static v => (float)v)], [Rows, Ins]);
        return OnnxRun.Of(model, new Dictionary<string, Tensor> { ["x"] = x }).Values.Single().ToFloat32();
    }

    private static Value W(GraphBuilder g, long[]? dims = null, bool isTurned = false, float by = 1)
    {
        dims ??= [Outs, Ins];
        var numbers = Probe.Numbers(Ins * Outs, 1.1).Select(v => (float)v * by).ToArray();
        if (dims[0] == Ins || isTurned || dims is [1, Ins, _] or [2, 2, _])
            numbers = [.. Enumerable.Range(0, Ins * Outs).Select(i => numbers[(i % Outs * Ins) + (i / Outs)])];
        return g.Graph.AddInitializer("model.layers.0.mlp.fc.weight", Tensor.Of<float>(numbers, dims));
    }

    private static Value B(GraphBuilder g, params long[] dims) => g.Graph.AddInitializer(
        "model.layers.0.mlp.fc.bias",
        Tensor.Of<float>([.. Probe.Numbers(Outs, 2.7).Select(static v => (float)v)], dims));

    private static Value Vector(GraphBuilder g, float number) => g.Constant(Tensor.Vector(number));

    private static Value Part(GraphBuilder g, string name, int columns) => g.Graph.AddInitializer(
        name, Tensor.Of<float>([.. Probe.Numbers(Ins * columns, columns).Select(static v => (float)v)], [Ins, columns]));

    private static Value Half(GraphBuilder g)
    {
        var numbers = Probe.Numbers(Ins * Outs, 1.1).Select(static v => (Half)v).ToArray();
        return g.Graph.AddInitializer("model.layers.0.mlp.fc.weight", Tensor.Of<Half>(numbers, [Ins, Outs]));
    }

    private static Value Quantized(GraphBuilder g, long[] dims)
    {
        sbyte[] integers = [.. Probe.Numbers(Ins * Outs, 1.1).Select(static v => (sbyte)(v * 127))];
        return g.Op(
            "DequantizeLinear",
            g.Graph.AddInitializer("model.layers.0.mlp.fc.weight_quantized", Tensor.Of<sbyte>(integers, dims)),
            g.Graph.AddInitializer("model.layers.0.mlp.fc.weight_scale", Tensor.Scalar(1f / 127)));
    }

    /// <summary>Fake quantisation: floats, rounded to integers with a scale and a zero point for each output, and taken
    /// back.</summary>
    private static Value Rounded(GraphBuilder g, long[] dims, long axis)
    {
        const string Name = "model.layers.0.mlp.fc.weight";
        var scales = g.Graph.AddInitializer($"{Name}_scale", Tensor.Vector([.. Enumerable.Range(1, Outs).Select(static i => i / 300f)]));
        var zeros = g.Graph.AddInitializer($"{Name}_zero_point", Tensor.Of<byte>([120, 128, 130, 140, 127, 128], [Outs]));
        var along = NodeAttribute.Of("axis", axis);
        return g.Op("DequantizeLinear", [g.Op("QuantizeLinear", [W(g, dims), scales, zeros], along), scales, zeros], along);
    }

    private static Value InConv(GraphBuilder g, Value x, Value kernel) =>
        g.Transpose(g.Op("Conv", g.Transpose(x, 0, 2, 1), kernel, B(g, Outs)), 0, 2, 1);

    private static Value Bnb4(GraphBuilder g, Value x)
    {
        var codes = g.Graph.AddInitializer(
            "model.layers.0.mlp.fc.weight_Bnb4",
            Tensor.Vector<byte>([.. Enumerable.Range(0, Ins * Outs / 2).Select(static i => (byte)(i * 37))]));
        var scales = g.Graph.AddInitializer("model.layers.0.mlp.fc.weight_absmax", Tensor.Vector(1f, 0.5f));
        NodeAttribute[] attributes =
        [
            NodeAttribute.Of("K", (long)Ins), NodeAttribute.Of("N", (long)Outs), NodeAttribute.Of("block_size", 16L),
            NodeAttribute.Of("quant_type", 1L),
        ];
        var y = g.Graph.AddNode("MatMulBnb4", [x, codes, scales], ["bnb4"], attributes, "com.microsoft").Output;
        (y.Type, y.Shape) = (ElementType.Float, [2, 3, Outs]);
        return y;
    }

    private static Value Einsum(GraphBuilder g, string equation, Value a, Value b) =>
        g.Op("Einsum", [a, b], NodeAttribute.Of("equation", equation));

    private static Value Folded(GraphBuilder g, Value x, Func<Value, Value> layer) =>
        g.Reshape(layer(g.Reshape(x, Rows, Ins)), 2, 3, Outs);

    private static Value Gemm(
        GraphBuilder g, Value a, Value b, Value c, long transA = 0, long transB = 0, float alpha = 1, float beta = 1) => g.Op(
        "Gemm",
        [a, b, c],
        NodeAttribute.Of("transA", transA),
        NodeAttribute.Of("transB", transB),
        NodeAttribute.Of("alpha", alpha),
        NodeAttribute.Of("beta", beta));
}
