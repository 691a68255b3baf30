using OrtPeft.Onnx;

namespace OrtPeft.Adapters.Merging;

/// <summary>A base with adapters in it.</summary>
/// <param name="Model">The merged model; unchanged weights are shared with the base.</param>
/// <param name="IsSourceGraph">Whether it is the base's own graph with other weights: nodes, names, operator sets and
/// metadata as they were. False where a changed weight does not stand for one of the base's alone; then it is the
/// canonical form, which computes the same.</param>
/// <param name="Requantized">How many layers were quantised anew.</param>
/// <param name="RelativeError">The largest ‖W − Ŵ‖ / ‖ΔW‖ among these: what rounding lost of what the adapters change; 0
/// where none was.</param>
public sealed record MergeOutcome(Model Model, bool IsSourceGraph, int Requantized, double RelativeError)
{
    /// <summary>How many weights took their sum in half precision.</summary>
    public int Rounded { get; init; }

    /// <summary>The largest ‖W − Ŵ‖ / ‖ΔW‖ among these; 0 where none was.</summary>
    public double RoundingError { get; init; }

    /// <summary>The largest relative error of one number that their types allow, 2⁻¹¹ of float16 and 2⁻⁸ of bfloat16; 0 where
    /// none was.</summary>
    public double UnitRoundoff { get; init; }
}
