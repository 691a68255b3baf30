namespace OrtPeft.Training.Runtime;

/// <summary>The results of a step.</summary>
/// <param name="Loss">The mean over all supervised elements, before the step.</param>
/// <param name="GradNorm">The gradients' norm before clipping; null where the runtime does not tell.</param>
/// <param name="Communication">The time in which processes that train together exchanged gradients. Seconds; null for one
/// process.</param>
internal sealed record StepResult(double Loss, double? GradNorm, double? Communication = null)
{
    /// <summary>The loss scale that is left where the step was left out because its scaled gradients were not finite; null
    /// (default) where it was taken.</summary>
    public double? ScaleAfterSkip { get; init; }
}
