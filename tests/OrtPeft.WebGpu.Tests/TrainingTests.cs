using OrtPeft.Adapters;
using OrtPeft.Adapters.PrefixTuning;
using OrtPeft.Adapters.Quantization;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Testing;
using OrtPeft.Training.Metrics;
using OrtPeft.Training.Tests.Runs;

namespace OrtPeft.WebGpu.Tests;

/// <summary>What trains on a device that has its own memory follows the CPU, step by step.</summary>
[Collection("device")]
public sealed class TrainingTests
{
    /// <summary>float32 sums in another order; the same rows' loss falls by at least twenty times as much.</summary>
    private const double Tolerance = 2e-4;

    /// <summary>Two parts a step, so that gradients add up; dropout's bits are the CPU's.</summary>
    [DeviceFact]
    public void Train_OfLora_FollowsTheCpu() => Follows(static () => Tiny.Lora(dropout: 0.25), accumulation: 2);

    [DeviceFact]
    public void Train_OfPrefixTuning_FollowsTheCpu() => Follows(
        static () => PeftModel.Create(Tiny.Base, new PrefixTuningConfig { NumVirtualTokens = 3 }, seed: 1));

    [DeviceFact]
    public void Train_OnAQuantisedBase_FollowsTheCpu() => Follows(
        static () => Tiny.Lora(ModelQuantizer.Quantize(Tiny.Base, new BlockFormat()).Model));

    private static float[] Numbers(IEnumerable<StepMetrics> steps, Func<StepMetrics, double> choose) =>
        [.. steps.Select(s => (float)choose(s))];

    private static void Follows(Func<PeftModel> create, int accumulation = 1)
    {
        var arguments = Tiny.Arguments with { MaxSteps = 5, GradientAccumulation = accumulation };
        var (onCpu, onDevice) = (create(), create());

        var expected = Tiny.Run(onCpu, arguments);
        var actual = Tiny.Run(onDevice, arguments with { Runtime = arguments.Runtime with { Provider = "webgpu" } });

        Near.Relative(Numbers(expected, static s => s.Loss), Numbers(actual, static s => s.Loss), Tolerance, "loss");
        Near.Relative(Numbers(expected, static s => s.GradNorm), Numbers(actual, static s => s.GradNorm), 1e-2, "grad_norm");
        Assert.True(expected[^1].Loss < expected[0].Loss * (1 - (20 * Tolerance)), "The rate is too low to tell.");
        Assert.All(expected, static s => Assert.True(s.GradNorm > 0));
    }
}
