namespace OrtPeft.Compilation.Memory;

/// <summary>The most that a training graph is given at once.</summary>
/// <param name="Rows">Rows of the batch.</param>
/// <param name="Tokens">Tokens of a row, padding included.</param>
/// <param name="Labels">Tokens of all rows that have a label.</param>
public sealed record PartSize(long Rows, long Tokens, long Labels);
