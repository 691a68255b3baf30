namespace OrtPeft.Adapters;

/// <summary>What a method did to a graph.</summary>
/// <param name="Config">The configuration with every choice made: targets resolved, defaults filled in.</param>
/// <param name="Parameters">What trains, in the graph's order.</param>
public sealed record Injection(PeftConfig Config, IReadOnlyList<AdapterParameter> Parameters);
