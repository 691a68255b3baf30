using OrtPeft.Kernels.Native;

namespace OrtPeft.Kernels.Operators;

/// <summary>X itself, but not before another value is there: what is computed from it waits, and takes no memory
/// earlier. Nothing is copied.</summary>
public static unsafe class After
{
    /// <summary>The operator.</summary>
    public static FusedOp Forward { get; } = new()
    {
        Name = "After",
        Signature = OpSignature.Parse("X~[..., n], after[**] → Y[..., n]"),
        Lower = static c => [c.X(0)],
        Run = RunForward,
        IsView = true,
    };

    private static void RunForward(KernelCall call)
    {
        var dims = call.Dims(0);
        var x = call.Input<float>(0);
        var y = call.Output(0, dims);
        if (x != y)
            Buffer.MemoryCopy(x, y, KernelShapes.Count(dims) * sizeof(float), KernelShapes.Count(dims) * sizeof(float));
    }
}
