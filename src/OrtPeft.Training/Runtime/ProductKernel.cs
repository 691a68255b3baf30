using OrtPeft.Runtime.Sessions;

namespace OrtPeft.Training.Runtime;

/// <summary>The names, in checkpoints and benches, of the kernels that multiply with frozen weights.</summary>
internal static class ProductKernel
{
    /// <summary>OrtPeft's own.</summary>
    public const string Own = "ortpeft";

    /// <summary>ONNX Runtime's.</summary>
    public const string OnnxRuntime = "onnxruntime";

    /// <summary>The one that is taken where there is a choice.</summary>
    /// <param name="options">How models run.</param>
    /// <returns>Its name.</returns>
    public static string Of(RuntimeOptions options) => FasterProducts.AreOwn(options) ? Own : OnnxRuntime;
}
