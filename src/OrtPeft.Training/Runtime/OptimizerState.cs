namespace OrtPeft.Training.Runtime;

/// <summary>Numbers that an optimiser moves from step to step.</summary>
/// <param name="Role">Their role in its graph.</param>
/// <param name="Vector">The numbers.</param>
/// <param name="Dims">Their axes.</param>
/// <param name="IsLaidOut">Whether each parameter has its part in them, where it has its own.</param>
internal sealed record OptimizerState(string Role, NativeVector Vector, long[] Dims, bool IsLaidOut);
