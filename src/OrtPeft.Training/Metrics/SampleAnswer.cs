namespace OrtPeft.Training.Metrics;

/// <summary>The model's answer to a prompt during training.</summary>
/// <param name="Step">The optimiser steps done when it was asked, from 0.</param>
/// <param name="Prompt">What it was asked.</param>
/// <param name="Expected">What the data says the answer is; null where nothing does.</param>
/// <param name="Text">The answer.</param>
public sealed record SampleAnswer(int Step, string Prompt, string? Expected, string Text);
