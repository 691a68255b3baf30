namespace OrtPeft.Cli.Bench;

/// <summary>Where a step's time goes, by operator and by part of the model; longest first.</summary>
/// <param name="ByOperator">Operators, as ONNX Runtime runs them: some are fused.</param>
/// <param name="ByPart">Parts of the model, forward and backward, all layers taken together.</param>
internal sealed record StepProfile(IReadOnlyList<ProfileEntry> ByOperator, IReadOnlyList<ProfileEntry> ByPart)
{
    /// <summary>Operators that ran on the CPU on floating-point tensors of more than <see cref="NodeProfiler.Small"/> elements
    /// though the steps ran on another provider; null where they ran on the CPU.</summary>
    public IReadOnlyList<ProfileEntry>? OnCpu { get; init; }
}
