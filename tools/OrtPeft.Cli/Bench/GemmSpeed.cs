using System.Diagnostics;
using Microsoft.ML.OnnxRuntime;
using OrtPeft.Compilation.Rewrites;
using OrtPeft.Kernels;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Runtime.Feeding;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Numerics;
using Tensor = OrtPeft.Tensors.Tensor;

namespace OrtPeft.Cli.Bench;

/// <summary>The speed of one large product with a constant matrix: ONNX Runtime's, which packs it beforehand, or in
/// bfloat16 OrtPeft's own, since ONNX Runtime has none.</summary>
internal static class GemmSpeed
{
    private const int Rows = 512;

    /// <summary>Rows of a multiple of 4 KiB would slow the yardstick by a quarter: caches hold them badly.</summary>
    private const int Inner = 1040;

    private const int Columns = 4096;
    private const int Runs = 100;

    /// <summary>A device in software takes seconds for one.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    /// <summary>The median run's 10⁹ multiply-adds, twice, per second.</summary>
    /// <param name="options">How it runs.</param>
    /// <param name="inBf16">Whether in bfloat16.</param>
    /// <param name="runs">How often; 100 when left out, and fewer where they take long.</param>
    public static double Measure(RuntimeOptions options, bool inBf16, int runs = Runs)
    {
        using var session = ModelSession.Open(Product(inBf16), options with { Prepacking = true, ProfilePrefix = null });
        using var x = TensorValues.Over(Noise(Rows * Inner), Rows, Inner);
        using var y = TensorValues.Over(new float[Rows * Columns], Rows, Columns);
        using var run = new RunOptions();
        using var binding = session.Session.CreateIoBinding();
        binding.BindInput("x", x);
        binding.BindOutput("y", y);
        var seconds = new List<double>();
        var clock = Stopwatch.StartNew();
        while (seconds.Count < runs && (seconds.Count == 0 || clock.Elapsed < Longest))
        {
            var started = Stopwatch.GetTimestamp();
            session.Session.RunWithBinding(run, binding);
            seconds.Add(Stopwatch.GetElapsedTime(started).TotalSeconds);
        }

        return 2e-9 * Rows * Inner * Columns / Sample.Median(seconds);
    }

    private static Model Product(bool inBf16)
    {
        var model = new Model(opset: 21);
        var graph = model.Graph;
        var g = new GraphBuilder(graph, new ShapeInference(model.Opset));
        var x = graph.AddInput("x", ElementType.Float, [Rows, Inner]);
        var weight = graph.AddInitializer("weight", Tensor.Of<float>(Noise(Inner * Columns), [Inner, Columns]));
        var y = g.MatMul(x, weight);
        graph.Rename(y, "y");
        graph.AddOutput(y);
        if (inBf16)
        {
            var rewrite = Speedups.InBf16(Speedups.All).Single(static s => s.PacksWeights);
            rewrite.AfterGradient!(g);
            model.Opsets[FusedOp.Domain] = 1;
        }

        return model;
    }

    /// <summary>Zeros and denormal numbers are not what a processor multiplies at its usual speed.</summary>
    private static float[] Noise(int count)
    {
        var random = new SplitMix64(seed: 0, "gemm");
        return [.. Enumerable.Range(0, count).Select(_ => random.NextUniform(-0.5, 0.5))];
    }
}
