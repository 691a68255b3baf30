using System.CommandLine;
using OrtPeft.Cli.Files;
using OrtPeft.Cli.Options;
using OrtPeft.Cli.Reporting;
using OrtPeft.Models;
using OrtPeft.Models.Initialization;
using OrtPeft.Tokenizers;

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
    private readonly OutputOptions _output = new("config.json, model.safetensors and the tokenizer");

    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public InitCommand(Host host)
        : base(host, "init", "Make a new model with random weights and a tokenizer, as an HF folder.")
    {
        Examples =
        [
            "ortpeft init --preset tiny --out tiny",
            "ortpeft init --preset llama-3.2-1b --seed 42 --out my-llama",
        ];
        Notes = "The tokenizer has a token for each byte, so the model can be trained on any text right away.";
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
        TokenizerOf(config).Save(stage);
        folder.Keep();
        run.Say($"Wrote {_output.PathOf(run)}: {run.Get(_preset)}, {Human.Count(parameters)} parameters, and a "
            + "tokenizer with a token for each byte.");
        run.Answer(new() { ["out"] = _output.PathOf(run), ["preset"] = run.Get(_preset), ["parameters"] = parameters });
    }

    /// <summary>A tokenizer whose special tokens have the ids that the model expects.</summary>
    internal static ByteLevelBpe TokenizerOf(ModelConfig config)
    {
        var end = config.EosTokenId ?? config.VocabularySize - 1;
        return ByteLevelBpe.OfBytes(end, config.BosTokenId == end ? null : config.BosTokenId);
    }
}
