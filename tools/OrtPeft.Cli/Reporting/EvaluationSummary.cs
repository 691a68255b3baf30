using OrtPeft.Training;

namespace OrtPeft.Cli.Reporting;

/// <summary>The outcome of a run's evaluations, at its end.</summary>
internal static class EvaluationSummary
{
    /// <summary>The best evaluation beside the base's, and which weights were kept; nothing without evaluations.</summary>
    /// <param name="result">How the run ended.</param>
    /// <param name="totalSteps">How many steps it was to have.</param>
    public static IEnumerable<string> Lines(TrainingResult result, int totalSteps)
    {
        if (result.BestEvaluation is not { } best)
            yield break;
        if (result.Steps < totalSteps)
            yield return $"Stopped early, at step {result.Steps} of {totalSteps}: evaluations became no better.";
        var against = result.BaseEvaluation is { } before ? $" (base {Human.Loss(before.Loss)})" : "";
        var kept = result.KeptStep == result.Steps ? "the last step" : $"step {result.KeptStep}";
        yield return $"Best eval loss {Human.Loss(best.Loss)} at step {best.Step}{against}; the adapter is that of {kept}.";
        if (best.Loss >= result.BaseEvaluation?.Loss)
            yield return "No evaluation was better than the base's: lower --lr, or look at the data.";
    }
}
