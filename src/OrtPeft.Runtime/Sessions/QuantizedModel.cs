using OrtPeft.Kernels.Products;
using OrtPeft.Onnx;

namespace OrtPeft.Runtime.Sessions;

/// <summary>A quantised model as this machine runs it.</summary>
internal static class QuantizedModel
{
    /// <summary>Lets products read quantised weights where OrtPeft's kernels do so; ONNX Runtime would dequantise each
    /// whole, for every token.</summary>
    /// <param name="model">The model; not changed.</param>
    /// <param name="options">How it runs.</param>
    /// <returns>The model, or one that computes the same to rounding and shares its other weights.</returns>
    public static Model For(Model model, RuntimeOptions options)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        return options.TakesKernels ? PackedProducts.ReadingCodes(model) : model;
    }
}
