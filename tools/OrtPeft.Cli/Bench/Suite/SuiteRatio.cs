namespace OrtPeft.Cli.Bench.Suite;

/// <summary>One case's figure over another's, taken round by round.</summary>
/// <param name="Name">What is compared.</param>
/// <param name="Of">The case whose figure is divided.</param>
/// <param name="By">The case whose figure divides.</param>
/// <param name="Figure">Reads the figure.</param>
internal sealed record SuiteRatio(string Name, SuiteCase Of, SuiteCase By, Func<SuiteFigures, double> Figure);
