namespace OrtPeft.Training;

/// <summary>How a run ended.</summary>
/// <param name="Steps">The steps done, those of earlier parts of a resumed run included.</param>
/// <param name="IsComplete">False when the run was cancelled; its checkpoint lets it go on.</param>
/// <param name="LastLoss">The mean loss of the last step; NaN when there was none.</param>
/// <param name="Seconds">The time spent in steps.</param>
public sealed record TrainingResult(int Steps, bool IsComplete, double LastLoss, double Seconds);
