using OrtPeft.Training.Runtime;

namespace OrtPeft.Training;

/// <summary>
/// Ends a run whose first epoch has losses and not one gradient other than zero. A single step tells less: an embedding
/// row rests until a batch has its token, an expert until it is chosen. Within an epoch every row was there, and a weight
/// that does not move makes no other gradient in the next one.
/// </summary>
/// <param name="stepsPerEpoch">How many steps the first epoch has.</param>
/// <param name="totalSteps">How many the run has.</param>
internal sealed class GradientWatch(int stepsPerEpoch, int totalSteps)
{
    private bool _hasLoss;
    private bool _hasGradient;

    /// <summary>Looks at a step of a run that began at its first one.</summary>
    /// <param name="step">The step's number, from 1.</param>
    /// <param name="result">What it gave; a runtime that tells no norm is believed.</param>
    /// <exception cref="TrainingFailedException">The epoch, or the run, ends without a gradient.</exception>
    public void See(int step, StepResult result)
    {
        _hasLoss |= result.Loss > 0;
        _hasGradient |= result.GradNorm is not 0;
        if (_hasLoss && !_hasGradient && step == Math.Min(stepsPerEpoch, totalSteps))
            throw new TrainingFailedException(
                $"Step {step}: all gradients have been exactly zero since the first step, so nothing trains: the loss " +
                "does not depend on the trained parameters, or no row reaches them. Choose other targets or rows.");
    }
}
