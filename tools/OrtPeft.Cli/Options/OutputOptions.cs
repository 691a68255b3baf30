using System.CommandLine;
using OrtPeft.Cli.Commands;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Files;
using OrtPeft.Models;

namespace OrtPeft.Cli.Options;

/// <summary>Where a verb writes to, and whether it may replace what is there.</summary>
internal sealed class OutputOptions(string content) : IOptionGroup
{
    private readonly Option<string> _out = new("--out")
    {
        Description = $"The folder that receives {content}; made when missing.",
        HelpName = "DIR",
        Required = true,
    };

    private readonly Option<bool> _overwrite = new("--overwrite") { Description = "Replace what --out holds already." };

    public IEnumerable<Option> Options => [_out, _overwrite];

    /// <summary>The folder as it was given.</summary>
    public string PathOf(Invocation run) => run.Get(_out);

    /// <summary>The folder as it was given, for what is made of a model that must stay.</summary>
    /// <param name="run">The run.</param>
    /// <param name="source">The model.</param>
    /// <exception cref="UsageException">It is the model's own folder.</exception>
    public string PathBeside(Invocation run, ModelSource source)
    {
        var path = PathOf(run);
        return OutputFolder.IsSame(path, source.Folder)
            ? throw new UsageException($"--out {path} is the model's own folder, which must stay; give another folder.")
            : path;
    }

    /// <summary>Whether the user allows files to be replaced.</summary>
    public bool MayOverwrite(Invocation run) => run.Get(_overwrite);

    /// <summary>Makes the folder ready, unless it holds a file that must not be lost.</summary>
    /// <param name="run">The run.</param>
    /// <param name="precious">The names of such files.</param>
    /// <returns>The folder; what is not kept goes away when it is disposed.</returns>
    public OutputFolder Open(Invocation run, params IEnumerable<string> precious) =>
        OpenOther(run, _out.Name, run.Get(_out), precious);

    /// <summary>Makes another folder of the same run ready, under the same rules.</summary>
    /// <param name="run">The run.</param>
    /// <param name="option">The option that names the folder.</param>
    /// <param name="path">The folder as it was given.</param>
    /// <param name="precious">The names of files that must not be lost.</param>
    /// <returns>The folder; what is not kept goes away when it is disposed.</returns>
    public OutputFolder OpenOther(Invocation run, string option, string path, params IEnumerable<string> precious)
    {
        var held = precious.FirstOrDefault(name => File.Exists(Path.Combine(path, name)));
        if (held is not null && !MayOverwrite(run))
        {
            throw new UsageException(
                $"{option} {path} holds {held} already; give another folder, or --overwrite to replace it.");
        }

        return OutputFolder.Open(path);
    }
}
