using Microsoft.ML.OnnxRuntime;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Runtime.Feeding;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Training.Runtime;

/// <summary>
/// Tries a product in half precision on a device. Not every device has what its provider has kernels for: WebGPU without the feature
/// <c>shader-f16</c> fails when a graph runs.
/// </summary>
internal static class HalfTrial
{
    private const int Side = 8;

    /// <summary>Refuses a type that the device does not multiply.</summary>
    /// <param name="type">float16 or bfloat16.</param>
    /// <param name="precision">Its name in settings.</param>
    /// <param name="options">Where it runs.</param>
    /// <exception cref="SettingException">It does not.</exception>
    public static void Require(ElementType type, string precision, RuntimeOptions options)
    {
        float[] numbers = [.. Enumerable.Range(0, Side * Side).Select(static i => (i % 5) - 2f)];
        string reason;
        try
        {
            var found = Product(type, numbers, options);
            if (found.AsSpan().SequenceEqual(Expected(numbers)))
                return;
            reason = "a product of whole numbers comes out wrong";
        }
        catch (Exception e) when (e is OnnxRuntimeException or GraphException or SessionException)
        {
            reason = (e is OnnxRuntimeException error ? RefusedGraph.Reason(error) : e.Message).TrimEnd('.');
        }

        throw new SettingException(
            $"Precision is {precision}, which the device of the provider {options.Provider} does not multiply ({reason}); "
            + "choose float32.");
    }

    /// <summary>Whole numbers up to 32, which both types hold.</summary>
    private static float[] Expected(float[] x) =>
        [.. Enumerable.Range(0, x.Length).Select(i => Enumerable.Range(0, Side).Sum(k => x[(i / Side * Side) + k] * x[(k * Side) + (i % Side)]))];

    private static float[] Product(ElementType type, float[] numbers, RuntimeOptions options)
    {
        var model = new Model(CanonicalForm.Opset, graphName: "half precision") { ProducerName = "OrtPeft" };
        var g = new GraphBuilder(model.Graph, new ShapeInference(model.Opset));
        var x = model.Graph.AddInput("x", ElementType.Float, [Side, Side]);
        var weight = g.Constant(Narrowing.ToTensor(numbers, type, [Side, Side]), "weight");
        model.Graph.AddOutput(g.Cast(g.MatMul(g.Cast(x, type), weight), ElementType.Float));
        using var opened = ModelSession.Open(model, options with { ProfilePrefix = null });
        using var value = TensorValues.Over(numbers, Side, Side);
        using var run = new RunOptions();
        using var results = opened.Session.Run(run, ["x"], [value], opened.Session.OutputNames);
        return results[0].GetTensorDataAsSpan<float>().ToArray();
    }
}
