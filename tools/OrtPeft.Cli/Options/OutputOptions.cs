using System.CommandLine;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Files;
using OrtPeft.Models;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Cli.Options;

/// <summary>Where a verb writes to, and whether it may replace what is there.</summary>
internal sealed class OutputOptions(string content) : IOptionGroup
{
    private readonly Option<string> _out = new("--out")
    {
        Description = $"The folder to write {content} to; created if missing.",
        HelpName = "DIR",
        Required = true,
    };

    private readonly Option<bool> _overwrite = new("--overwrite") { Description = "Replace what is already in --out." };

    public IEnumerable<Option> Options => [_out, _overwrite];

    /// <summary>The folder as it was given.</summary>
    public string PathOf(Invocation run) => run.Get(_out);

    /// <summary>The folder as it was given, for what is made of a model that must stay.</summary>
    /// <param name="run">The run.</param>
    /// <param name="source">The model.</param>
    /// <exception cref="UsageException">It is the model's own folder.</exception>
    public string PathBeside(Invocation run, ModelSource source)
    {
        return PathBeside(run, source.Folder);
    }

    /// <summary>The folder as it was given, for what is made of a model that must stay.</summary>
    /// <param name="run">The run.</param>
    /// <param name="modelFolder">The model's folder.</param>
    /// <exception cref="UsageException">It is that folder, by whatever path.</exception>
    public string PathBeside(Invocation run, string modelFolder)
    {
        var path = PathOf(run);
        return FileState.IsSame(path, modelFolder)
            ? throw new UsageException($"--out {path} is the model's own folder, which must stay; give another folder.")
            : path;
    }

    /// <summary>Whether the user allows files to be replaced.</summary>
    public bool MayOverwrite(Invocation run) => run.Get(_overwrite);

    /// <summary>Makes the folder ready, unless it holds a file that must not be lost.</summary>
    /// <param name="run">The run.</param>
    /// <param name="files">What is to be written there.</param>
    /// <param name="inputs">Files that the run reads.</param>
    /// <returns>The folder; what is not kept goes away when it is disposed.</returns>
    public OutputFolder Open(Invocation run, FolderFiles files, params IEnumerable<string> inputs) =>
        OpenOther(run, _out.Name, run.Get(_out), files, inputs);

    /// <summary>Makes the folder of an earlier run ready, which is to go on in it.</summary>
    /// <param name="run">The run.</param>
    /// <param name="files">What is to be written there.</param>
    /// <param name="inputs">Files that the run reads.</param>
    /// <returns>The folder.</returns>
    public OutputFolder OpenAgain(Invocation run, FolderFiles files, params IEnumerable<string> inputs) =>
        OutputFolder.Open(_out.Name, run.Get(_out), files, mayReplace: true, inputs);

    /// <summary>Makes another folder of the same run ready, under the same rules.</summary>
    /// <param name="run">The run.</param>
    /// <param name="option">The option that names the folder.</param>
    /// <param name="path">The folder as it was given.</param>
    /// <param name="files">What is to be written there.</param>
    /// <param name="inputs">Files that the run reads.</param>
    /// <returns>The folder; what is not kept goes away when it is disposed.</returns>
    public OutputFolder OpenOther(
        Invocation run, string option, string path, FolderFiles files, params IEnumerable<string> inputs) =>
        OutputFolder.Open(option, path, files, MayOverwrite(run), inputs);
}
