using System.CommandLine;
using OrtPeft.Cli.Files;
using OrtPeft.Cli.Options;
using OrtPeft.Cli.Reporting;
using OrtPeft.Models;
using OrtPeft.Models.Initialization;

namespace OrtPeft.Cli.Commands;

/// <summary>Makes a new model with random weights.</summary>
internal sealed class InitCommand : Verb
{
    private readonly Option<string> _preset = new("--preset")
    {
        Description = $"The architecture and size: {string.Join(", ", ModelPresets.Names)}.",
        HelpName = "NAME",
        Required = true,
    };

    private readonly Option<long> _seed = NumberOption.Of("--seed", "Fixes the weights.", "N", 0L);
    private readonly OutputOptions _output = new("config.json and model.safetensors");

    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public InitCommand(Host host)
        : base(host, "init", "Make a new model with random weights, as an HF folder.")
    {
        Examples =
        [
            "ortpeft init --preset tiny --out tiny",
            "ortpeft init --preset llama-3.2-1b --seed 42 --out my-llama",
        ];
        Options.Add(_preset);
        Options.Add(_seed);
        Add(_output);
    }

    protected override void Run(Invocation run)
    {
        var config = ModelPresets.Find(run.Get(_preset));
        var parameters = config.ToArchitecture().ParameterCount;
        using var folder = _output.Open(run, FolderFiles.OfNewModel);
        var stage = folder.Stage;
        WritingReport.Follow(run, stage, sizeof(float) * parameters, () =>
            ModelInitializer.Write(config, unchecked((ulong)run.Get(_seed)), stage));
        folder.Keep();
        run.Say($"Wrote {_output.PathOf(run)}: {run.Get(_preset)}, {Human.Count(parameters)} parameters.");
        run.Answer(new() { ["out"] = _output.PathOf(run), ["preset"] = run.Get(_preset), ["parameters"] = parameters });
    }
}
