namespace OrtPeft.Cli.Bench.Suite;

/// <summary>A row of the suite: a run of <c>bench</c> in a process of its own.</summary>
/// <param name="Name">The row's name, with batch and length.</param>
/// <param name="Variant">What distinguishes rows of one name: the precision, or the base's format.</param>
/// <param name="Model">The model.</param>
/// <param name="Arguments">The options of <c>bench</c>, between spaces.</param>
internal sealed record SuiteCase(string Name, string Variant, SuiteModel Model, string Arguments)
{
    /// <summary>A variable of the environment that turns an instruction set off; null for none.</summary>
    public string? TurnedOff { get; init; }

    /// <summary>Whether it times evaluation and generation.</summary>
    public bool IsInference => Arguments.Contains("--what inference", StringComparison.Ordinal);
}
