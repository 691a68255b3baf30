using System.Collections.Concurrent;
using System.Runtime.Intrinsics;
using Microsoft.ML.OnnxRuntime;
using OrtPeft.Kernels;

namespace OrtPeft.Runtime.Sessions;

/// <summary>
/// Whose kernel multiplies with constant matrices. With AVX-512 it is OrtPeft's. Elsewhere a short trial finds the
/// faster one, once for each processor, version of both and number of threads: what it finds is kept in
/// <c>ortpeft/products.txt</c> in the user's cache folder, and may be deleted at any time. Thread-safe.
/// </summary>
internal static class FasterProducts
{
    /// <summary>How much faster ONNX Runtime has to be: it keeps two packed copies of each matrix, OrtPeft one, and adds
    /// biases, residual sums and LoRA's products in passes of their own.</summary>
    private const double Margin = 1.1;

    private static readonly ConcurrentDictionary<string, Lazy<double>> _ratios = new(StringComparer.Ordinal);

    /// <summary>Whether it is OrtPeft's.</summary>
    /// <param name="options">How models run; <see cref="RuntimeOptions.OwnProducts"/> decides where it is set.</param>
    /// <returns>Whether OrtPeft's kernel multiplies where there is a choice.</returns>
    /// <exception cref="SessionException">There is not enough memory for a trial.</exception>
    public static bool AreOwn(RuntimeOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (!options.TakesKernels)
            return false;
        return options.OwnProducts ?? (KernelDomain.MultipliesFast || Ratio(options.Threads) * Margin >= 1);
    }

    private static double Ratio(int threads)
    {
        var own = typeof(FasterProducts).Assembly.GetName().Version;
        var name = $"{ProcessorName.Read()}, {Bits()} bits, OrtPeft {own}, "
            + $"ONNX Runtime {OrtEnv.Instance().GetVersionString()}, "
            + $"{(threads == 0 ? Environment.ProcessorCount : threads)} threads";
        return _ratios.GetOrAdd(name, _ => new Lazy<double>(
            () => KeptRatios.OfUser.Find(name) ?? KeptRatios.OfUser.Keep(name, ProductTrial.Measure(threads)))).Value;
    }

    private static int Bits() => Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : 128;
}
