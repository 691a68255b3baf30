using OrtPeft.Adapters.Merging;
using OrtPeft.Cli.Files;
using OrtPeft.Models;
using OrtPeft.Models.Exports;

namespace OrtPeft.Cli.Exports;

/// <summary>An export to be done.</summary>
/// <param name="Run">Where notes and progress go.</param>
/// <param name="Source">The base.</param>
/// <param name="Adapters">The adapters and what they are called; none for the base alone.</param>
internal sealed record ExportJob(Invocation Run, ModelSource Source, IReadOnlyList<AdapterPlace> Adapters)
{
    /// <summary>The name of the one adapter that all of them form where they act together; null where each is by
    /// itself.</summary>
    public string? Together { get; init; }

    /// <summary>Whether the consumer runs what was written.</summary>
    public bool IsVerified { get; init; } = true;

    /// <summary>Whether adapters stay apart where the form allows it.</summary>
    public bool IsBeside { get; init; }

    /// <summary>Whether inputs for LoRA have no defaults.</summary>
    public bool AreInputsRequired { get; init; }

    /// <summary>How adapters become part of the model where they are merged.</summary>
    public MergeForm Form { get; init; } = MergeForm.Float;

    /// <summary>The model's name; null where it was not said.</summary>
    public string? Name { get; init; }

    /// <summary>How a GGUF file holds matrices, as <see cref="GgufExport.Types"/> names it.</summary>
    public string Type { get; init; } = "f16";
}
