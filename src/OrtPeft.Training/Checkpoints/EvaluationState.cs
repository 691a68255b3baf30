using System.Globalization;

namespace OrtPeft.Training.Checkpoints;

/// <summary>The results of a run's evaluations so far.</summary>
/// <param name="BaseLoss">The loss before the first step; NaN where it was not measured.</param>
/// <param name="BestLoss">The lowest loss after a step; NaN where there was none.</param>
/// <param name="BestStep">When it was measured.</param>
/// <param name="Stale">Evaluations since the last one that was better by enough.</param>
internal sealed record EvaluationState(double BaseLoss, double BestLoss, int BestStep, int Stale)
{
    private const string BaseLossKey = "evaluation.base-loss";
    private const string BestLossKey = "evaluation.best-loss";
    private const string BestStepKey = "evaluation.best-step";
    private const string StaleKey = "evaluation.stale";

    /// <summary>No evaluation yet.</summary>
    public static EvaluationState None { get; } = new(double.NaN, double.NaN, 0, 0);

    /// <summary>Writes it down; nothing where there was no evaluation.</summary>
    public void AddTo(IDictionary<string, string> metadata)
    {
        if (this == None)
            return;
        metadata[BaseLossKey] = BaseLoss.ToString("R", CultureInfo.InvariantCulture);
        metadata[BestLossKey] = BestLoss.ToString("R", CultureInfo.InvariantCulture);
        metadata[BestStepKey] = BestStep.ToString(CultureInfo.InvariantCulture);
        metadata[StaleKey] = Stale.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>Reads it; <see cref="None"/> where nothing is written down.</summary>
    /// <exception cref="TrainingFailedException">A number is not one.</exception>
    public static EvaluationState Of(IReadOnlyDictionary<string, string> metadata, string path)
    {
        if (!metadata.ContainsKey(BestLossKey))
            return None;
        return new EvaluationState(Number(BaseLossKey), Number(BestLossKey), Count(BestStepKey), Count(StaleKey));

        double Number(string key) =>
            double.TryParse(metadata.GetValueOrDefault(key), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
                ? number
                : throw Damaged(key);

        int Count(string key) =>
            int.TryParse(metadata.GetValueOrDefault(key), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                ? number
                : throw Damaged(key);

        TrainingFailedException Damaged(string key) => new(
            $"{path} has {key} = '{metadata.GetValueOrDefault(key)}'; it is damaged: train without resuming.");
    }
}
