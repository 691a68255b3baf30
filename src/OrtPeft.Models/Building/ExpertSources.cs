namespace OrtPeft.Models.Building;

/// <summary>How checkpoints name the experts of a layer, each with matrices of its own.</summary>
/// <param name="Container">The module within the layer that holds router and experts.</param>
/// <param name="Gate">An expert's gate.</param>
/// <param name="Up">Its input beside the gate.</param>
/// <param name="Down">Its output.</param>
internal sealed record ExpertSources(string Container, string Gate, string Up, string Down)
{
    /// <summary>The same with whole paths.</summary>
    /// <param name="block">The layer's path.</param>
    public ExpertSources In(string block) => this with { Container = $"{block}.{Container}" };

    /// <summary>The router's matrix.</summary>
    public WeightSources Router(int experts, int width) => new([$"{Container}.gate.weight"], [experts, width]);

    /// <summary>Gates and inputs, <c>[experts, 2 · inner, width]</c>.</summary>
    public WeightSources Inputs(int experts, int width, int inner) =>
        new([.. Of(experts, Gate, Up)], [inner, width]);

    /// <summary>Outputs, <c>[experts, width, inner]</c>.</summary>
    public WeightSources Outputs(int experts, int width, int inner) => new([.. Of(experts, Down)], [width, inner]);

    private IEnumerable<string> Of(int experts, params string[] parts) => Enumerable.Range(0, experts)
        .SelectMany(expert => parts.Select(part => $"{Container}.experts.{expert}.{part}.weight"));
}
