using OrtPeft.Runtime.Sessions;
using OrtPeft.Training;

namespace OrtPeft.Cli.Bench;

/// <summary>The rows that a benchmark trains on, and for how long. Tokens are random: a step's time does not depend on
/// them.</summary>
internal sealed record BenchmarkOptions
{
    /// <summary>Rows of a batch, at least 1. Default 4.</summary>
    public int BatchSize { get; init; } = 4;

    /// <summary>Tokens of a row, at least 2. Default 128.</summary>
    public int SequenceLength { get; init; } = 128;

    /// <summary>Steps that are timed, at least 1. Default 10.</summary>
    public int Steps { get; init; } = 10;

    /// <summary>Steps before them that are not, at least 1: the first one allocates. Default 2.</summary>
    public int WarmupSteps { get; init; } = 2;

    /// <summary>The part of each row, its end, that has labels; above 0, up to 1 (default).</summary>
    public double Supervised { get; init; } = 1;

    /// <summary>Token ids are drawn from 0 up to this; at least 1.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Whether ONNX Runtime notes each node's time, which slows the steps a little. Default false.</summary>
    public bool Profile { get; init; }

    /// <summary>The most tokens that run at once; as in training when left out.</summary>
    public int MicroBatchTokens { get; init; } = new TrainingArguments().MicroBatchTokens;

    /// <inheritdoc cref="TrainingArguments.MemoryLimit"/>
    public long? MemoryLimit { get; init; }

    /// <summary>Rewrites of the training graph that are left out; none by default.</summary>
    public IReadOnlyList<string> WithoutSpeedups { get; init; } = [];

    /// <summary>The precision that frozen weights are multiplied in; as in training when left out.</summary>
    public string Precision { get; init; } = new TrainingArguments().Precision;

    /// <summary>How ONNX Runtime runs the graphs; as in training when left out.</summary>
    public RuntimeOptions Runtime { get; init; } = new TrainingArguments().Runtime;
}
