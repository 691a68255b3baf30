using OrtPeft.Adapters.Lora;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Lora;

/// <summary>DoRA on one layer of 2 inputs and 4 outputs, in the layouts that exporters write.</summary>
public sealed class DoraTests
{
    private const string A = "base_model.model.linear.lora_A.weight";
    private const string B = "base_model.model.linear.lora_B.weight";
    private const string M = "base_model.model.linear.lora_magnitude_vector";

    private static readonly LoraConfig Config =
        new() { R = 2, LoraAlpha = 3, UseDora = true, TargetModules = ["linear"], InitLoraWeights = false };

    private static readonly Dictionary<string, Tensor> Data = new()
    {
        ["x"] = Tensor.Of([1f, 0, 0, 1, 1, 1, 1, -1], [4, 2]),
        ["target"] = Tensor.Of([2f, 3, 5, 7, 2, 4, 6, 8, 4, 7, 11, 15, 0, -1, -1, -1], [4, 4]),
        [TrainingGraph.Scale] = Tensor.Scalar(1f / 16),
        [SeededBits.SeedInput] = Tensor.Scalar(4321L),
    };

    private static readonly Dictionary<string, Func<GraphBuilder, Value, Value>> Layers = new()
    {
        ["Gemm [out, in]"] = static (g, x) =>
            g.Gemm(x, SmallGraphs.Weight(g, "linear.weight", 4, 2), SmallGraphs.Bias(g, "linear.bias"), transB: true),
        ["Gemm [in, out]"] = static (g, x) =>
            g.Gemm(x, SmallGraphs.Weight(g, "linear.weight", 2, 4), SmallGraphs.Bias(g, "linear.bias")),
        ["Gemm with alpha"] = static (g, x) =>
            g.Gemm(x, SmallGraphs.Weight(g, "linear.weight", 2, 4), SmallGraphs.Bias(g, "linear.bias"), alpha: -0.5f),
        ["MatMul + Add"] = static (g, x) =>
            g.Add(g.MatMul(x, SmallGraphs.Weight(g, "linear.weight", 2, 4)), SmallGraphs.Bias(g, "linear.bias")),
        ["MatMul"] = static (g, x) => g.MatMul(x, SmallGraphs.Weight(g, "linear.weight", 2, 4)),
    };

    public static TheoryData<string> LayerNames => [.. Layers.Keys];

    [Theory]
    [MemberData(nameof(LayerNames))]
    public void Create_WhenFresh_AnswersAsTheBase(string layer)
    {
        var model = SmallGraphs.Of(Layers[layer]);

        var peft = PeftModel.Create(model, Config with { InitLoraWeights = LoraInit.Gaussian });

        Near.Absolute(Run(model), Run(peft.Model), 1e-4, "y"); // of numbers up to 15, times rounded quotients
    }

    [Theory]
    [MemberData(nameof(LayerNames))]
    public void Merge_WhenWeightsAreOthers_GivesTheSameFunction(string layer)
    {
        var peft = Trained(layer, Config);

        var merged = peft.Merge();

        Near.Absolute(Run(peft.Model), Run(merged), 1e-4, "y");
    }

    /// <summary>
    /// With the norm detached, the gradient is that of a loss in which f = m / norm does not move with A and B: the
    /// central difference moves m along with the norm. The loss is quadratic in each of them.
    /// </summary>
    [Theory]
    [InlineData("Gemm [out, in]", 0)]
    [InlineData("Gemm [in, out]", 0.3)]
    [InlineData("Gemm with alpha", 0.3)]
    [InlineData("MatMul + Add", 0.3)]
    [InlineData("MatMul", 0)]
    public void Gradient_WithAndWithoutDropout_IsTheCentralDifference(string layer, double dropout)
    {
        const float H = 1 / 32f;
        var peft = Trained(layer, Config with { LoraDropout = dropout });
        var graph = TrainingGraph.Build(peft, new MeanSquaredError()).Model;

        var outputs = OnnxRun.Of(graph, Feeds(peft.GetWeights()));

        foreach (var name in new[] { A, B, M })
        {
            var gradient = outputs[TrainingGraph.GradientOf(name)].ToFloat32();
            for (var i = 0; i < gradient.Length; i++)
            {
                var (up, down) = (Moved(layer, peft, name, i, H), Moved(layer, peft, name, i, -H));
                var difference = (Loss(graph, up) - Loss(graph, down)) / (2 * H) / 16;
                Assert.Equal(difference, gradient[i], 2e-2); // 2⁻²⁴ · 32 of sums of some thousands
            }
        }
    }

    /// <summary>
    /// B·A takes all but a part δ of W away: ‖W + sBA‖² = δ²‖W‖² is then the difference of terms near ‖W‖², whose
    /// rounding (some 2⁻²³ each) it inherits.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(0.3)]
    [InlineData(0.1)]
    [InlineData(0.03)]
    [InlineData(0.01)]
    public void Norm_WhenTheFactorsNearlyCancelTheWeight_LosesNoMoreThanTheDifferenceMust(double delta)
    {
        var peft = PeftModel.Create(SmallGraphs.Linear(), Config);
        var factor = (float)(-(1 - delta) / 1.5);
        peft.SetWeights(new Dictionary<string, Tensor>
        {
            [A] = Tensor.Of([1f, 0, 0, 1], [2, 2]),
            [B] = Tensor.Of<float>([.. Enumerable.Range(1, 8).Select(i => factor * i)], [4, 2]),
            [M] = Tensor.Vector(1f, 1, 1, 1),
        });

        var y = Run(peft.Model).ToFloat32();

        float[] bias = [0.5f, -0.5f, 0.25f, 0];
        for (var o = 0; o < 4; o++)
        {
            var (w0, w1) = ((2.0 * o) + 1, (2.0 * o) + 2);
            var expected = w0 / Math.Sqrt((w0 * w0) + (w1 * w1)); // row x = (1, 0), whatever δ
            var tolerance = 1e-6 + (1e-6 / (delta * delta));
            Assert.Equal(expected, y[o] - bias[o], tolerance);
        }
    }

    [Fact]
    public void Norm_WhenTheWeightIsGone_StaysFinite()
    {
        var peft = PeftModel.Create(SmallGraphs.Linear(), Config);
        peft.SetWeights(new Dictionary<string, Tensor>
        {
            [A] = Tensor.Of([1f, 0, 0, 1], [2, 2]),
            [B] = Tensor.Of<float>([.. Enumerable.Range(1, 8).Select(static i => i / -1.5f)], [4, 2]),
            [M] = Tensor.Vector(1f, 1, 1, 1),
        });

        Assert.All(Run(peft.Model).ToFloat32(), static v => Assert.True(float.IsFinite(v)));
    }

    /// <summary>HF PEFT reads this name too, that of its parameter in memory.</summary>
    [Fact]
    public void Create_WhenMagnitudesAreNamedAsInMemory_ReadsThem()
    {
        var trained = Trained("MatMul", Config);
        var weights = trained.GetWeights().ToDictionary(static w => w.Key == M ? $"{M}.weight" : w.Key, static w => w.Value);

        var read = PeftModel.Create(SmallGraphs.Of(Layers["MatMul"]), Config, weights, "file");

        Assert.Equal(Run(trained.Model).ToFloat32(), Run(read.Model).ToFloat32());
    }

    private static PeftModel Trained(string layer, LoraConfig config)
    {
        var peft = PeftModel.Create(SmallGraphs.Of(Layers[layer]), config, seed: 3);
        var weights = new Dictionary<string, Tensor>(peft.GetWeights())
        {
            [M] = Tensor.Vector<float>(
                [.. peft.GetWeights()[M].ToFloat32().Select(static (m, i) => m * (1 + (0.2f * i)))]),
        };
        peft.SetWeights(weights);
        return peft;
    }

    /// <summary>One number moved, and the magnitudes with the norms.</summary>
    private static Dictionary<string, Tensor> Moved(string layer, PeftModel peft, string name, int index, float by)
    {
        var weights = new Dictionary<string, Tensor>(peft.GetWeights());
        var values = weights[name].ToFloat32();
        values[index] += by;
        weights[name] = Tensor.Of<float>(values, weights[name].Dims.AsSpan());
        if (name == M)
            return weights;
        var (before, after) = (Norms(layer, peft.GetWeights()), Norms(layer, weights));
        weights[M] = Tensor.Vector<float>(
            [.. weights[M].ToFloat32().Select((m, o) => (float)(m * after[o] / before[o]))]);
        return weights;
    }

    private static double[] Norms(string layer, IReadOnlyDictionary<string, Tensor> weights)
    {
        var (a, b) = (weights[A].ToFloat32(), weights[B].ToFloat32());
        var isOutByIn = layer == "Gemm [out, in]";
        return [.. Enumerable.Range(0, 4).Select(o => Math.Sqrt(Enumerable.Range(0, 2).Sum(i =>
        {
            var w = isOutByIn ? (2 * o) + i + 1 : (4 * i) + o + 1;
            var sum = w + (1.5 * (((double)b[2 * o] * a[i]) + ((double)b[(2 * o) + 1] * a[2 + i])));
            return sum * sum;
        })))];
    }

    private static double Loss(Model graph, Dictionary<string, Tensor> weights) =>
        OnnxRun.Of(graph, Feeds(weights))[TrainingGraph.LossSum].ToFloat32()[0];

    private static Dictionary<string, Tensor> Feeds(IReadOnlyDictionary<string, Tensor> weights)
    {
        var feeds = new Dictionary<string, Tensor>(Data);
        foreach (var (name, tensor) in weights)
            feeds[name] = tensor;
        return feeds;
    }

    private static Tensor Run(Model model) => OnnxRun.Of(model, Data).Values.Single();
}
