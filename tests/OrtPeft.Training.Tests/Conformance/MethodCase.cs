using OrtPeft.Adapters;

namespace OrtPeft.Training.Tests.Conformance;

/// <summary>A method as the conformance suite runs it.</summary>
/// <param name="Name">The method's name on the command line, a colon and a variant where there are several.</param>
/// <param name="Config">A configuration that moves the loss of the bases; its layers have GPT-2's names.</param>
public sealed record MethodCase(string Name, PeftConfig Config)
{
    /// <summary>Whether a fresh adapter leaves the model's answers as they are.</summary>
    public bool StartsAsBase { get; init; } = true;

    /// <summary>The learning rate of the short runs.</summary>
    public double LearningRate { get; init; } = 1e-2;

    /// <summary>Bases that have nothing for the method to train, and what the error says; none by default.</summary>
    public IReadOnlyDictionary<string, string> RefusedOn { get; init; } = new Dictionary<string, string>();

    /// <summary>The only bases that have a bias for what merging adds to it; null for all (default).</summary>
    public IReadOnlyList<string>? MergesOnlyOn { get; init; }

    public string Method => Name.Split(':')[0];

    public override string ToString() => Name;
}
