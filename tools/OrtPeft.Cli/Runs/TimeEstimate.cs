using OrtPeft.Cli.Bench;
using OrtPeft.Runtime.Sessions;

namespace OrtPeft.Cli.Runs;

/// <summary>How long a run will about take, from the machine's speed of products and the model's size.</summary>
internal static class TimeEstimate
{
    /// <summary>The least that is worth a measurement, which takes a fifth of a second.</summary>
    private const double LeastProducts = 2e12;

    /// <summary>The share of a large product's speed that products reach in a step.</summary>
    private const double Fraction = 0.65;

    private const int Runs = 10;

    /// <summary>Estimates a run's time.</summary>
    /// <param name="options">How ONNX Runtime runs.</param>
    /// <param name="inBf16">Whether frozen weights are multiplied in bfloat16.</param>
    /// <param name="tokens">Tokens of all its steps.</param>
    /// <param name="parameters">The model's parameters, the trained ones among them.</param>
    /// <param name="trained">Those that train.</param>
    /// <returns>Null where it is short, or the provider is not the CPU.</returns>
    public static TimeSpan? Of(RuntimeOptions options, bool inBf16, double tokens, long parameters, long trained)
    {
        // Each parameter is multiplied with each token forward and backward, and once more where it learns.
        var products = 2 * tokens * ((2.0 * parameters) + trained);
        if (products < LeastProducts || !ExecutionProvider.Named(options.Provider).TakesKernels)
            return null;
        return TimeSpan.FromSeconds(products * 1e-9 / (Fraction * GemmSpeed.Measure(options, inBf16, Runs)));
    }
}
