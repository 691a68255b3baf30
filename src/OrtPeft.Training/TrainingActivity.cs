namespace OrtPeft.Training;

/// <summary>The activity of a run between two reports of steps.</summary>
/// <param name="What">What it is, such as <c>evaluating</c>.</param>
/// <param name="Done">How much of it is done.</param>
/// <param name="Total">How much there is to do.</param>
public readonly record struct TrainingActivity(string What, int Done, int Total);
