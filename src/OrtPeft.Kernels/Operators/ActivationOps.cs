using OrtPeft.Kernels.Functions;

namespace OrtPeft.Kernels.Operators;

/// <summary>The activations that are operators, a row each, each followed by its gradient. Frozen and
/// thread-safe.</summary>
public static class ActivationOps
{
    /// <summary>Those that stand alone. ReLU is none of them: it is one node in any case, whose gradient reads nothing
    /// but its result, which the next layer may need, too.</summary>
    public static IReadOnlyList<FusedOp> All { get; } =
    [
        Activated<TanhGelu>.Forward, Activated<TanhGelu>.Backward,
        Activated<ErfGelu>.Forward, Activated<ErfGelu>.Backward,
        Activated<Silu>.Forward, Activated<Silu>.Backward,
        Activated<QuickGelu>.Forward, Activated<QuickGelu>.Backward,
        Activated<SquaredRelu>.Forward, Activated<SquaredRelu>.Backward,
    ];

    /// <summary>Those that are gates of an MLP.</summary>
    public static IReadOnlyList<FusedOp> Gates { get; } =
    [
        Gated<Silu>.Forward, Gated<Silu>.Backward,
        Gated<TanhGelu>.Forward, Gated<TanhGelu>.Backward,
        Gated<ErfGelu>.Forward, Gated<ErfGelu>.Backward,
        Gated<QuickGelu>.Forward, Gated<QuickGelu>.Backward,
        Gated<Relu>.Forward, Gated<Relu>.Backward,
        Gated<SquaredRelu>.Forward, Gated<SquaredRelu>.Backward,
    ];
}
