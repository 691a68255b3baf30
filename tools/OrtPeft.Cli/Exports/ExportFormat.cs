using OrtPeft.Cli.Files;

namespace OrtPeft.Cli.Exports;

/// <summary>A form that models and adapters are exported in.</summary>
/// <param name="Name">The word after <c>--format</c>.</param>
/// <param name="Writes">What it is, for the help page.</param>
/// <param name="Files">The files that may be written.</param>
/// <param name="Write">Writes and proves them in a folder.</param>
internal sealed record ExportFormat(
    string Name, string Writes, Func<ExportJob, FolderFiles> Files, Func<ExportJob, string, Exported> Write)
{
    /// <summary>All formats.</summary>
    public static IReadOnlyList<ExportFormat> All { get; } =
    [
        LoraInputsExport.Format, MergedExport.GenAi, MergedExport.Foundry, MergedExport.Hf, LlamaCppExport.Model,
        LlamaCppExport.Lora,
    ];
}
