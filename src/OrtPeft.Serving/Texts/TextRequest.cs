using OrtPeft.Inference.Generation;

namespace OrtPeft.Serving.Texts;

/// <summary>A question to a served model.</summary>
internal sealed record TextRequest
{
    /// <summary>The tokens to continue.</summary>
    public required IReadOnlyList<int> Prompt { get; init; }

    /// <summary>The adapter's name; null for the model alone.</summary>
    public string? Model { get; init; }

    /// <summary>How tokens are chosen and when to stop.</summary>
    public GenerationOptions Options { get; init; } = new();

    /// <summary>Texts before which the answer ends.</summary>
    public IReadOnlyList<string> StopTexts { get; init; } = [];

    /// <summary>How many tokens' probabilities are wanted beside each token's; null for none.</summary>
    public int? TopLogProbabilities { get; init; }

    /// <summary>Whether white space around the answer is left out.</summary>
    public bool IsTrimmed { get; init; }
}
