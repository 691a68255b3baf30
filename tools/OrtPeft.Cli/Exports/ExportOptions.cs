using System.CommandLine;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Files;
using OrtPeft.Cli.Options;

namespace OrtPeft.Cli.Exports;

/// <summary>In which form a model leaves, and how.</summary>
internal sealed class ExportOptions : IOptionGroup
{
    private static readonly string Names = string.Join('|', ExportFormat.All.Select(static f => f.Name));

    private readonly Option<string> _format = new("--format")
    {
        Description = "The form; each is described below.",
        HelpName = Names,
        Required = true,
    };

    private readonly Option<string?> _together = new("--together")
    {
        Description = "Write all adapters as one of this name, whose effects add up.",
        HelpName = "NAME",
    };

    private readonly Option<bool> _noVerify = new("--no-verify")
    {
        Description = "Do not run what was written.",
    };

    public ExportOptions() => _format.Validators.Add(static result =>
    {
        if (result.Tokens is [.., { Value: var name }] && ExportFormat.All.All(f => f.Name != name))
            result.AddError($"--format is '{name}'; it must be one of {Names.Replace("|", ", ", StringComparison.Ordinal)}.");
    });

    public IEnumerable<Option> Options => [_format, _together, _noVerify];

    /// <summary>The form.</summary>
    public ExportFormat FormatOf(Invocation run) => ExportFormat.All.First(f => f.Name == run.Get(_format));

    /// <summary>A job with the choices.</summary>
    /// <exception cref="UsageException">A choice does not fit the form or the adapters.</exception>
    public ExportJob Read(Invocation run, ExportJob job)
    {
        var together = run.Get(_together);
        if (together is not null && job.Adapters.Count < 2)
            throw new UsageException($"{_together.Name} needs two adapters; give another --adapter, or leave it out.");
        if (together is not null && !AdapterPlace.IsName(together))
            throw new UsageException($"{_together.Name} is '{together}'; it must be letters, digits, '_' and '-'.");
        return job with { Together = together, IsVerified = !run.Get(_noVerify) };
    }
}
