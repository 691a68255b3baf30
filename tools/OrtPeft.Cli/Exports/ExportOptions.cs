using System.CommandLine;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Files;
using OrtPeft.Cli.Options;
using OrtPeft.Models.Exports;

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

    private readonly Option<bool> _beside = new("--beside")
    {
        Description = "Leave the adapters apart, in files that an app switches between, rather than merging them.",
    };

    private readonly Option<bool> _required = new("--required-inputs")
    {
        Description = "Give the inputs for LoRA no defaults, as ONNX Runtime's JavaScript wants them: it feeds no optional ones.",
    };

    private readonly Option<string?> _name = new("--name")
    {
        Description = "What Foundry Local calls the model.",
        HelpName = "NAME",
    };

    private readonly Option<string> _type = new("--outtype")
    {
        Description = "How a GGUF file holds matrices.",
        HelpName = string.Join('|', GgufExport.Types),
        DefaultValueFactory = static _ => "f16",
    };

    private readonly MergeOptions _merge = new();

    private readonly Option<bool> _noVerify = new("--no-verify")
    {
        Description = "Do not run what was written. What is merged is compared all the same.",
    };

    public ExportOptions()
    {
        _format.Validators.Add(static result =>
        {
            if (result.Tokens is [.., { Value: var name }] && ExportFormat.All.All(f => f.Name != name))
                result.AddError($"--format is '{name}'; it must be one of {Names.Replace("|", ", ", StringComparison.Ordinal)}.");
        });
        _type.Validators.Add(static result =>
        {
            if (result.Tokens is [.., { Value: var type }] && !GgufExport.Types.Contains(type))
                result.AddError($"--outtype is '{type}'; it must be one of {string.Join(", ", GgufExport.Types)}.");
        });
    }

    public IEnumerable<Option> Options => [_format, _beside, _together, _required, _name, _type, .. _merge.Options, _noVerify];

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
        var isApart = run.Get(_beside) || FormatOf(run) == LoraInputsExport.Format || FormatOf(run) == LlamaCppExport.Lora;
        if (isApart && _merge.Options.FirstOrDefault(run.Has) is { } merging)
            throw new UsageException($"{merging.Name} is for adapters that are merged, and here they stay apart; leave it out.");
        if (together is not null && !isApart)
            throw new UsageException($"{_together.Name} is for adapters that stay apart; merged ones act together anyway.");
        if (run.Get(_beside) && job.Adapters.Count == 0)
            throw new UsageException($"{_beside.Name} needs an adapter; give --adapter NAME=DIR.");
        if (run.Get(_beside) && FormatOf(run) == MergedExport.Hf)
            throw new UsageException($"{_beside.Name} and --format hf: an adapter's folder is in HF's form already; leave one out.");
        if (run.Has(_name) && FormatOf(run) != MergedExport.Foundry)
            throw new UsageException($"{_name.Name} is for --format {MergedExport.Foundry.Name}; leave it out.");
        if (run.Get(_required) && FormatOf(run) != LoraInputsExport.Format)
            throw new UsageException($"{_required.Name} is for --format {LoraInputsExport.Format.Name}; leave it out.");
        if (run.Has(_type) && FormatOf(run) != LlamaCppExport.Model)
            throw new UsageException($"{_type.Name} is for --format {LlamaCppExport.Model.Name}; leave it out.");
        if (run.Get(_beside) && FormatOf(run) == LlamaCppExport.Model)
            throw new UsageException($"{_beside.Name} and --format gguf: give --format {LlamaCppExport.Lora.Name} for the adapters alone.");
        return job with
        {
            Together = together,
            IsVerified = !run.Get(_noVerify),
            IsBeside = run.Get(_beside),
            AreInputsRequired = run.Get(_required),
            Form = _merge.Read(run),
            Name = run.Get(_name),
            Type = run.Get(_type),
        };
    }
}
