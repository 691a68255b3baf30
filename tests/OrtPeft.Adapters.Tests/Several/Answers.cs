using OrtPeft.Onnx;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Several;

/// <summary>A decoder's logits for one batch, and how far two of them are apart.</summary>
internal static class Answers
{
    /// <summary>float32 through two layers: rounding of sums in another order.</summary>
    public const double Rounding = 1e-5;

    public static float[] Of(Model model) => DecoderLogits.Of(model, TrainRun.Batch(0)).ToFloat32();

    public static double Difference(float[] expected, float[] actual) =>
        expected.Zip(actual, static (a, b) => Math.Abs((double)a - b)).Max();

    public static double Difference(Model expected, Model actual) => Difference(Of(expected), Of(actual));
}
