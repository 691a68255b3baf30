using System.Text.Json.Nodes;
using OrtPeft.Adapters;
using OrtPeft.Adapters.Exports;
using OrtPeft.Artifacts.OrtFormats;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Files;
using OrtPeft.Cli.Options;
using OrtPeft.Cli.Reporting;
using OrtPeft.Models;
using OrtPeft.Models.Checkpoints;
using OrtPeft.Onnx.Serialization;

namespace OrtPeft.Cli.Exports;

/// <summary>The base's own graph with optional inputs for LoRA, and an adapter file for each adapter.</summary>
internal static class LoraInputsExport
{
    /// <summary>The format's row.</summary>
    public static ExportFormat Format { get; } = new(
        "onnx-adapter",
        "the model's own graph with optional inputs for LoRA, and an .onnx_adapter file for each adapter",
        Files,
        Write);

    /// <summary>The files of such a folder.</summary>
    public static FolderFiles Files(ExportJob job)
    {
        string[] adapters = [.. NamesOf(job).Select(FileOf)];
        var files = FolderFiles.OfModel(job.Source.Folder, [.. adapters, .. GenAiFolder.FilesIn(job.Source.Folder)]);
        return files with { Retired = [.. files.Retired, $"*{OrtAdapterFile.Extension}"] };
    }

    /// <summary>Writes the folder and lets ONNX Runtime prove it.</summary>
    /// <exception cref="UsageException">No adapter is given.</exception>
    /// <exception cref="ConfigException">An adapter cannot stand in a file of its own.</exception>
    /// <exception cref="ResultException">What was written answers otherwise than OrtPeft.</exception>
    public static Exported Write(ExportJob job, string folder)
    {
        if (job.Adapters.Count == 0)
            throw new UsageException($"--format {Format.Name} writes adapters, and none is given; give --adapter NAME=DIR.");
        var (run, source) = (job.Run, job.Source);
        var peft = AdapterOption.LoadApart(source.Model, job.Adapters, run);
        var inputs = LoraInputs.Of(peft, job.AreInputsRequired);
        var modelFile = Path.Combine(folder, ModelSource.ModelFileName);
        var bytes = inputs.Model.Graph.Initializers.Sum(static v => v.Initializer!.Data.Length);
        var external = new OnnxSaveOptions { ExternalData = true };
        WritingReport.Follow(run, folder, bytes, () => OnnxFile.Save(inputs.Model, modelFile, external));
        foreach (var (name, members) in GroupsOf(job))
            new OrtAdapterFile { Parameters = inputs.TensorsOf(members) }.Save(Path.Combine(folder, FileOf(name)));
        HfCheckpoint.CopyCompanions(source.Folder, folder);
        GenAiFolder.Copy(source, folder);
        var proof = job.IsVerified ? LoraInputsProof.Of(job, peft, inputs, folder) : null;
        return new Exported(
            [
                $"{ModelSource.ModelFileName}, whose layers take LoRA as {(job.AreInputsRequired ? "required" : "optional")} inputs, and "
                    + $"{string.Join(", ", NamesOf(job).Select(FileOf))}.",
                .. proof?.Lines ?? ["ONNX Runtime did not run it (--no-verify)."],
            ],
            new JsonObject
            {
                ["adapters"] = new JsonArray([.. NamesOf(job).Select(static n => (JsonNode)FileOf(n))]),
                ["verified"] = proof?.Facts,
            });
    }

    /// <summary>The adapter files by name, and which adapters each holds.</summary>
    public static IEnumerable<(string Name, string[] Members)> GroupsOf(ExportJob job) => job.Together is { } name
        ? [(name, [.. job.Adapters.Select(static a => a.Name)])]
        : job.Adapters.Select(static a => (a.Name, (string[])[a.Name]));

    /// <summary>An adapter's file.</summary>
    public static string FileOf(string name) => name + OrtAdapterFile.Extension;

    private static IEnumerable<string> NamesOf(ExportJob job) => GroupsOf(job).Select(static g => g.Name);
}
