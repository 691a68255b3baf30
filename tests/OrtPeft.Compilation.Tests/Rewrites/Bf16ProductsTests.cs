using OrtPeft.Adapters;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Tests;
using OrtPeft.Adapters.Tests.Llama;
using OrtPeft.Adapters.Tests.Quantization;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Compilation.Rewrites;
using OrtPeft.Kernels.Products;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Compilation.Tests.Rewrites;

/// <summary>Training graphs whose products are in bfloat16.</summary>
public sealed class Bf16ProductsTests
{
    /// <summary>
    /// Bfloat16 has 8 bits: each number that meets another is rounded by up to 2⁻⁹ = 0.2 %, and a gradient has some ten
    /// products on its way, whose errors add up like a random walk's: 1.1 % at most of what these models have.
    /// </summary>
    private const double Tolerance = 0.02;

    /// <summary>A small gradient is a difference of larger numbers, whose errors it has.</summary>
    private const double ToleranceOfOne = 0.05;

    [Theory]
    [InlineData(Gpt2.Imported, "float32")]
    [InlineData(Gpt2.Imported, "int4")]
    [InlineData(Gpt2.Imported, "uint8")]
    [InlineData(QuantizedBase.Llama, "float32")]
    [InlineData(QuantizedBase.Llama, "nf4")]
    public void Gradients_InBfloat16_AreFloat32sToItsRounding(string model, string form)
    {
        var basis = form == "float32" ? QuantizedBase.Float(model) : QuantizedBase.Quantized(model, form);
        // A B of zeros would leave A without a gradient.
        var config = new LoraConfig { TargetModules = "all-linear", InitLoraWeights = false };
        var peft = PeftModel.Create(basis, config, seed: 3);
        var batch = new Dictionary<string, Tensor>(QuantizedBase.Batch(model))
        {
            [TrainingGraph.Scale] = Tensor.Scalar(1f / 12),
        };

        var expected = Run(peft, batch, []);
        var actual = Run(peft, batch, Speedups.InBf16(Speedups.All));

        Assert.Equal(
            expected[TrainingGraph.LossSum].ToFloat32()[0], actual[TrainingGraph.LossSum].ToFloat32()[0],
            1e-3 * expected[TrainingGraph.LossSum].ToFloat32()[0]);
        string[] names = [.. peft.Parameters.Select(static p => TrainingGraph.GradientOf(p.Name))];
        Assert.All(names, name => MustBeNear([name], ToleranceOfOne));
        MustBeNear(names, Tolerance);

        void MustBeNear(IEnumerable<string> some, double tolerance)
        {
            float[] exact = [.. some.SelectMany(name => expected[name].ToFloat32())];
            float[] rounded = [.. some.SelectMany(name => actual[name].ToFloat32())];
            var error = Math.Sqrt(exact.Zip(rounded, static (a, b) => Math.Pow(a - b, 2)).Sum());
            Assert.InRange(error, 0, tolerance * Math.Sqrt(exact.Sum(static v => (double)v * v)));
        }
    }

    [Fact]
    public void Build_InBfloat16_PacksEveryMatrixSo()
    {
        var peft = PeftModel.Create(
            SmallLlama.Model(QuantizedBase.Llama), new LoraConfig { TargetModules = "all-linear" }, seed: 3);

        var graph = TrainingGraph.Build(
            peft, new CausalLm(), new() { Speedups = Speedups.InBf16(Speedups.All) }).Model.Graph;

        var products = graph.Nodes.Where(static n => n.OpType.StartsWith("MatMul", StringComparison.Ordinal)).ToArray();
        Assert.Contains(products, static n => PackedMatMul.LoraGrad.Is(n));
        Assert.All(products, static n => Assert.Equal(ElementType.BFloat16, n.Inputs[1]!.Type));
    }

    private static Dictionary<string, Tensor> Run(
        PeftModel peft, Dictionary<string, Tensor> batch, IReadOnlyList<Speedup> speedups)
    {
        var model = TrainingGraph.Build(peft, new CausalLm(), new() { Speedups = speedups }).Model;
        using var session = ModelSession.Open(model, new RuntimeOptions { Threads = 1 });
        return OnnxRun.Of(session, Feeds.Of(model.Graph, batch, peft.GetWeights()));
    }
}
