using OrtPeft.Runtime.Sessions;

namespace OrtPeft.Cli.Bench;

/// <summary>The inputs that evaluation and generation are timed on. Tokens are random: times do not depend on
/// them.</summary>
internal sealed record InferenceBenchmarkOptions
{
    /// <summary>Rows of the batch that is evaluated, at least 1. Default 4.</summary>
    public int BatchSize { get; init; } = 4;

    /// <summary>Tokens of a row, at least 2. Default 128.</summary>
    public int SequenceLength { get; init; } = 128;

    /// <summary>The part of each row, its end, that has labels; above 0, up to 1 (default).</summary>
    public double Supervised { get; init; } = 1;

    /// <summary>Tokens of the prompt that generation starts from, at least 1. Default 32.</summary>
    public int PromptTokens { get; init; } = 32;

    /// <summary>Tokens generated after it, at least 2: the first one's time is the prompt's. Default 32.</summary>
    public int NewTokens { get; init; } = 32;

    /// <summary>How often every variant runs, in turn, timed; at least 1. Default 10.</summary>
    public int Rounds { get; init; } = 10;

    /// <summary>Rounds before them that are not timed, at least 1: first runs allocate. Default 2.</summary>
    public int WarmupRounds { get; init; } = 2;

    /// <summary>Token ids are drawn from 0 up to this; at least 1.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>How ONNX Runtime evaluates; without prepacking when left out, as <c>ortpeft eval</c> does.</summary>
    public RuntimeOptions EvaluationRuntime { get; init; } = new() { Prepacking = false };

    /// <summary>How ONNX Runtime generates; with prepacking when left out, as <c>ortpeft generate</c> does.</summary>
    public RuntimeOptions GenerationRuntime { get; init; } = new();
}
