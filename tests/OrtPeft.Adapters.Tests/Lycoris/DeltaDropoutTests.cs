using OrtPeft.Adapters.Loha;
using OrtPeft.Adapters.Lokr;
using OrtPeft.Adapters.Lycoris;
using OrtPeft.Adapters.Tests.Proof;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Lycoris;

/// <summary>While training, an output feature of ΔW counts in full, scaled up, or not at all, alike for all
/// rows.</summary>
public sealed class DeltaDropoutTests
{
    private const int Outputs = 40;

    private static readonly Probe Layer = new(4, Outputs, IsOutByIn: true);

    [Fact]
    public void RankDropout_OfLoha_DividesByThePartThatItKeeps()
    {
        var factors = Factors(new LohaConfig { R = 2, RankDropout = 0.5 }, seed: 3);

        var kept = factors.Count(static f => f != 0);
        Assert.InRange(kept, 8, 32); // 40 halves: beyond lies one seed in 100,000
        Assert.All(factors, f => Assert.Contains(f, new[] { 0, (float)Outputs / kept }, new Relative()));
    }

    [Fact]
    public void RankDropout_OfLokr_ScalesOnRequestOnly()
    {
        var factors = Factors(new LokrConfig { R = 2, RankDropout = 0.5 }, seed: 3);
        var scaled = Factors(new LokrConfig { R = 2, RankDropout = 0.5, RankDropoutScale = true }, seed: 3);

        Assert.All(factors, static f => Assert.Contains(f, new[] { 0f, 1 }, new Relative()));
        var kept = factors.Count(static f => f != 0);
        Assert.All(scaled, f => Assert.Contains(f, new[] { 0, (float)Outputs / kept }, new Relative()));
    }

    [Fact]
    public void ModuleDropout_DropsAllOrNothing_WithoutScaling()
    {
        var config = new LohaConfig { R = 2, ModuleDropout = 0.5 };

        var runs = Enumerable.Range(0, 16).Select(seed => Factors(config, seed)).ToList();

        Assert.All(runs, static r => Assert.Single(r.Select(static f => MathF.Round(f, 2)).Distinct()));
        Assert.Equal([0, 1], runs.Select(static r => MathF.Round(r[0], 2)).Distinct().Order());
    }

    [Fact]
    public void RankDropout_WhenNothingIsKept_LeavesTheBaseAlone()
    {
        var factors = Factors(new LohaConfig { R = 2, RankDropout = 1 - 1e-9 }, seed: 1);

        Assert.All(factors, static f => Assert.Equal(0, f));
    }

    /// <summary>What each feature of x·ΔWᵀ is multiplied by in training; the same for all rows.</summary>
    private static float[] Factors(LycorisConfig config, long seed)
    {
        var peft = Layer.Adapted(config with { TargetModules = ["lin"] });
        var (plain, whole) = (Layer.Answer(Layer.Model()), Layer.Answer(peft.Model));
        var training = peft.Model.Clone();
        var shapes = new ShapeInference(training.Opset);
        shapes.Infer(training.Graph);
        DropoutLowering.ForTraining(training, shapes);
        var dropped = OnnxRun.Of(training, new Dictionary<string, Tensor>
        {
            ["x"] = Tensor.Of<float>([.. Layer.X.Select(static v => (float)v)], [Probe.Rows, Layer.Inputs]),
            [SeededBits.SeedInput] = Tensor.Scalar(seed),
        }).Values.Single().ToFloat32();
        var factors = plain.Select((p, i) => (dropped[i] - p) / (whole[i] - p)).ToArray();
        for (var i = Outputs; i < factors.Length; i++)
            Assert.Equal(factors[i % Outputs], factors[i], new Relative());
        return factors[..Outputs];
    }

    /// <summary>Quotients of differences of float32 numbers, some of them small.</summary>
    private sealed class Relative : IEqualityComparer<float>
    {
        public bool Equals(float x, float y) => Math.Abs(x - y) <= 1e-2 * Math.Max(1, Math.Abs(x));

        public int GetHashCode(float value) => 0;
    }
}
