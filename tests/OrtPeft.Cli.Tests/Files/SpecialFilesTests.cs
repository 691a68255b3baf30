using System.Diagnostics;
using OrtPeft.Cli.Tests.Running;

namespace OrtPeft.Cli.Tests.Files;

/// <summary>A pipe, or a device without an end, in the place of a file that a verb reads.</summary>
public sealed class SpecialFilesTests(WritingVerbs verbs) : IClassFixture<WritingVerbs>
{
    private static readonly TimeSpan ForEver = TimeSpan.FromSeconds(60);

    /// <summary>Whose file it is, and its name.</summary>
    public static TheoryData<string, string> Inputs => new()
    {
        { "model", "model.onnx" },
        { "model", "model.onnx.data" },
        { "model", "config.json" },
        { "model", "tokenizer.json" },
        { "hf", "model.safetensors" },
        { "hf", "config.json" },
        { "adapter", "adapter_config.json" },
        { "adapter", "adapter_model.safetensors" },
        { "run", "checkpoint.safetensors" },
        { "artifacts", "artifacts.json" },
        { "artifacts", "training_model.onnx" },
        { "artifacts", "optimizer_model.onnx" },
        { "artifacts", "adapter_model.safetensors" },
        { "rows", "rows.jsonl" },
        { "checkpoint", "parameters.safetensors" },
        { "checkpoint", "parameters.bin" },
    };

    [Theory]
    [MemberData(nameof(Inputs))]
    public async Task Verb_OfAPipe_SaysSo(string whose, string name)
    {
        if (OperatingSystem.IsWindows())
            return;
        var (words, folder) = Prepare(whose, name);
        using (var make = Process.Start("mkfifo", [Path.Combine(folder, name)]))
            await make.WaitForExitAsync();

        var run = await Task.Run(() => CliRun.Of(words)).WaitAsync(ForEver);

        run.Refused(2, Path.Combine(folder, name));
    }

    [Theory]
    [MemberData(nameof(Inputs))]
    public async Task Verb_OfALinkToADevice_SaysSo(string whose, string name)
    {
        if (!File.Exists("/dev/zero"))
            return;
        var (words, folder) = Prepare(whose, name);
        File.CreateSymbolicLink(Path.Combine(folder, name), "/dev/zero");

        var run = await Task.Run(() => CliRun.Of(words)).WaitAsync(ForEver);

        run.Refused(2, name == "model.onnx.data" ? name : Path.Combine(folder, name));
    }

    /// <summary>A folder without the file, and a command that reads it.</summary>
    private (string[] Words, string Folder) Prepare(string whose, string name)
    {
        var (place, folder) = (verbs.Place, verbs.Place.Fresh());
        Directory.CreateDirectory(folder);
        string[] words = ["eval", folder, "--data", place["text.jsonl"]];
        switch (whose)
        {
            case "model":
                FolderContent.Copy(place.Model, folder);
                break;
            case "hf":
                FolderContent.Copy(place.Hf, folder);
                break;
            case "adapter":
                FolderContent.Copy(verbs.First, folder);
                words = ["eval", place.Model, "--data", place.Rows, "--adapter", folder];
                break;
            case "run":
                CliRun.Of(verbs.Words("train", folder)).Succeeded();
                words = [.. verbs.Words("train", folder), "--resume"];
                break;
            case "artifacts":
                CliRun.Of(verbs.Words("artifacts ort", folder)).Succeeded();
                words = ["train", folder, "--data", place.Rows, "--steps", "1", "--out", place.Fresh()];
                break;
            case "rows":
                words = ["eval", place.Model, "--data", Path.Combine(folder, name)];
                break;
            default:
                words =
                [
                    "adapter-from-checkpoint", Path.Combine(folder, name), "--artifacts", verbs.Artifacts, "--out",
                    place.Fresh(),
                ];
                break;
        }

        File.Delete(Path.Combine(folder, name));
        return (words, folder);
    }
}
