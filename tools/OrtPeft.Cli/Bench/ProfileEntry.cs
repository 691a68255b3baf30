namespace OrtPeft.Cli.Bench;

/// <summary>One group's share of a step.</summary>
/// <param name="Name">The operator or the part.</param>
/// <param name="Milliseconds">The time of its nodes in one step, the mean over steps. Milliseconds.</param>
/// <param name="Share">Of the time of all nodes, 0 to 1.</param>
/// <param name="Nodes">How many nodes run in one step.</param>
internal sealed record ProfileEntry(string Name, double Milliseconds, double Share, int Nodes);
