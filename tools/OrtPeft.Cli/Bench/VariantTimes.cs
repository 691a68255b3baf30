namespace OrtPeft.Cli.Bench;

/// <summary>The times of one variant of a model.</summary>
/// <param name="Evaluation">A batch's loss.</param>
/// <param name="Prompt">From a prompt to the first new token.</param>
/// <param name="Token">A new token after the first, the mean over a run.</param>
internal sealed record VariantTimes(RunTimes Evaluation, RunTimes Prompt, RunTimes Token);
