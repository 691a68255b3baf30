using System.CommandLine;
using OrtPeft.Adapters;
using OrtPeft.Adapters.Configuration;
using OrtPeft.Artifacts;
using OrtPeft.Cli.Errors;

namespace OrtPeft.Cli.Options;

/// <summary>How the adapter was configured that a device trained.</summary>
internal sealed class TrainedConfigOptions : IOptionGroup
{
    private readonly Option<string?> _artifacts = new("--artifacts")
    {
        Description = $"The folder that it was trained with, for the configuration and the parameters in its "
            + $"{ArtifactManifest.FileName}. [default: the checkpoint's folder]",
        HelpName = "DIR",
    };

    private readonly Option<string?> _configFile = new("--peft-config")
    {
        Description = "Read the configuration from this adapter_config.json instead; parameter names are not "
            + "translated.",
        HelpName = "FILE",
    };

    public IEnumerable<Option> Options => [_artifacts, _configFile];

    /// <summary>The configuration, and the artifact folder if that is where it is from.</summary>
    public (PeftConfig Config, string? Artifacts) Read(Invocation run, string checkpoint)
    {
        var (artifacts, file) = (run.Get(_artifacts), run.Get(_configFile));
        if (artifacts is not null && file is not null)
            throw new UsageException($"{_artifacts.Name} and {_configFile.Name} both configure the adapter; give one.");
        if (file is not null)
            return (AdapterFolder.LoadConfig(file), null);
        artifacts ??= Beside(checkpoint) ?? throw new UsageException(
            $"{checkpoint}: no {ArtifactManifest.FileName} is beside it to tell the configuration; give the folder "
            + $"that it was trained with by {_artifacts.Name}, or its adapter_config.json by {_configFile.Name}.");
        var origin = Path.Combine(artifacts, ArtifactManifest.FileName);
        var fields = new ConfigFields(ArtifactManifest.Load(artifacts).PeftConfig, origin);
        return (PeftMethods.Read(fields, origin), artifacts);
    }

    private static string? Beside(string checkpoint)
    {
        if (!File.Exists(checkpoint))
            throw new UsageException($"{checkpoint} does not exist, or is not a file; give what the device saved.");
        var folder = Path.GetDirectoryName(Path.GetFullPath(checkpoint))!;
        return File.Exists(Path.Combine(folder, ArtifactManifest.FileName)) ? folder : null;
    }
}
