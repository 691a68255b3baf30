using System.Text.Json.Nodes;
using OrtPeft.Adapters;
using OrtPeft.Cli.Artifacts;
using OrtPeft.Training;
using OrtPeft.Training.Data;

namespace OrtPeft.Cli.Runs;

/// <summary>A run that is ready to begin.</summary>
internal sealed record TrainingRun : IDisposable
{
    /// <summary>The trained parameters, for reports.</summary>
    public required TrainingJob Job { get; init; }

    /// <summary>The rows that are learned.</summary>
    public required IReadOnlyList<Example> Rows { get; init; }

    /// <summary>The rows that are held out; null where there are none.</summary>
    public required IReadOnlyList<Example>? HeldOut { get; init; }

    /// <summary>How it is trained.</summary>
    public required TrainingArguments Arguments { get; init; }

    /// <summary>Trains it.</summary>
    public required Trainer Trainer { get; init; }

    /// <summary>The adapter's configuration, as its file has it.</summary>
    public required JsonObject Config { get; init; }

    /// <summary>The adapted model; null where artifacts are trained.</summary>
    public PeftModel? Peft { get; init; }

    public void Dispose() => Trainer.Dispose();
}
