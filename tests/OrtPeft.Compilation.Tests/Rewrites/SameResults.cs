using OrtPeft.Adapters;
using OrtPeft.Onnx;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Compilation.Tests.Rewrites;

/// <summary>Compares what a training graph gives before and after a rewrite.</summary>
internal static class SameResults
{
    /// <summary>Rounding in another order, of a tensor's largest number or of 1: some ten units of float32.</summary>
    private const double Tolerance = 2e-6;

    public static void Must(
        PeftModel peft, Model plain, Model rewritten, params IEnumerable<Dictionary<string, Tensor>> batches)
    {
        using var before = ModelSession.Open(plain, new RuntimeOptions { Threads = 1 });
        using var after = ModelSession.Open(rewritten, new RuntimeOptions { Threads = 1 });
        foreach (var batch in batches)
        {
            var feeds = Feeds.Of(plain.Graph, batch, peft.GetWeights());
            Compare(OnnxRun.Of(before, feeds), OnnxRun.Of(after, feeds));
        }
    }

    private static void Compare(Dictionary<string, Tensor> expected, Dictionary<string, Tensor> actual)
    {
        Assert.Equal(expected.Keys.Order(), actual.Keys.Order());
        foreach (var (name, values) in expected.Where(static o => o.Value.Type == ElementType.Float))
        {
            var numbers = values.ToFloat32();
            var scale = Math.Max(1, numbers.Max(Math.Abs));
            Near.Within(numbers, actual[name].ToFloat32(), Tolerance * scale, name);
        }
    }
}
