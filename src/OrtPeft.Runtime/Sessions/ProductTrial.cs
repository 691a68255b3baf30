using System.Diagnostics;
using Microsoft.ML.OnnxRuntime;
using OrtPeft.Kernels;
using OrtPeft.Kernels.Products;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Runtime.Feeding;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Numerics;
using Tensor = OrtPeft.Tensors.Tensor;

namespace OrtPeft.Runtime.Sessions;

/// <summary>A short trial of products with a constant matrix, forwards and backwards, X·W·Wᵀ: OrtPeft's kernel and ONNX
/// Runtime's take turns, thirty times. At 100 GFLOP/s it takes a second.</summary>
internal static class ProductTrial
{
    private const int Rows = 256;
    private const int Inner = 768;
    private const int Columns = 2304;
    private const int WarmupRuns = 10;
    private const int Runs = 20;

    /// <summary>ONNX Runtime's least time over OrtPeft's.</summary>
    /// <param name="threads">As many as <see cref="RuntimeOptions.Threads"/> says.</param>
    public static double Measure(int threads)
    {
        var options = new RuntimeOptions { Threads = threads, Prepacking = true };
        using var own = new Side(Product(isOwn: true), options);
        using var other = new Side(Product(isOwn: false), options);
        for (var run = 0; run < WarmupRuns; run++)
        {
            own.Time();
            other.Time();
        }

        // Whatever else the machine does only adds to a time.
        var (least, leastOfOther) = (double.PositiveInfinity, double.PositiveInfinity);
        for (var run = 0; run < Runs; run++)
            (least, leastOfOther) = (Math.Min(least, own.Time()), Math.Min(leastOfOther, other.Time()));
        return leastOfOther / least;
    }

    /// <summary>X·W·Wᵀ with weights whose products neither grow nor vanish.</summary>
    internal static Model Product(bool isOwn)
    {
        var model = new Model(opset: 21);
        var graph = model.Graph;
        var g = new GraphBuilder(graph, new ShapeInference(model.Opset));
        var x = graph.AddInput("x", ElementType.Float, [Rows, Inner]);
        var weight = graph.AddInitializer("weight", Tensor.Of<float>(Noise(Inner * Columns, 0.1), [Inner, Columns]));
        var y = g.Op("Gemm", [g.MatMul(x, weight), weight], NodeAttribute.Of("transB", 1L));
        graph.Rename(y, "y");
        graph.AddOutput(y);
        if (isOwn)
        {
            PackedProducts.Run(g, inBf16: false);
            model.Opsets[FusedOp.Domain] = 1;
        }

        return model;
    }

    /// <summary>The numbers that are multiplied: neither zeros nor denormal ones.</summary>
    internal static float[] Noise(int count, double size = 1)
    {
        var random = new SplitMix64(seed: 0, "products");
        return [.. Enumerable.Range(0, count).Select(_ => random.NextUniform(-size, size))];
    }

    /// <summary>One kernel's session.</summary>
    private sealed class Side : IDisposable
    {
        private readonly ModelSession _session;
        private readonly OrtValue _x = TensorValues.Over(Noise(Rows * Inner), Rows, Inner);
        private readonly OrtValue _y = TensorValues.Over(new float[Rows * Inner], Rows, Inner);
        private readonly RunOptions _run = new();
        private readonly OrtIoBinding _binding;

        public Side(Model model, RuntimeOptions options)
        {
            _session = ModelSession.Open(model, options);
            _binding = _session.Session.CreateIoBinding();
            _binding.BindInput("x", _x);
            _binding.BindOutput("y", _y);
        }

        /// <summary>Seconds of a run.</summary>
        public double Time()
        {
            var started = Stopwatch.GetTimestamp();
            _session.Session.RunWithBinding(_run, _binding);
            return Stopwatch.GetElapsedTime(started).TotalSeconds;
        }

        public void Dispose()
        {
            _binding.Dispose();
            _run.Dispose();
            _y.Dispose();
            _x.Dispose();
            _session.Dispose();
        }
    }
}
