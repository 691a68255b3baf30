using System.CommandLine;
using System.Text.Json.Nodes;
using OrtPeft.Adapters;
using OrtPeft.Adapters.Merging;
using OrtPeft.Artifacts;
using OrtPeft.Artifacts.OrtFormats;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Files;
using OrtPeft.Cli.Options;
using OrtPeft.Cli.Reporting;
using OrtPeft.Compilation.Artifacts;
using OrtPeft.Models;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;
using OrtPeft.Training.Runtime;

namespace OrtPeft.Cli.Commands;

/// <summary>Makes an adapter of what a device trained.</summary>
internal sealed class AdapterFromCheckpointCommand : Verb
{
    private readonly Argument<string> _checkpoint = new("checkpoint")
    {
        Description = "What the device saved: a checkpoint of ONNX Runtime's training API, a .safetensors file, or the "
            + "trainable parameters' float32 values alone (getContiguousParameters on the web).",
    };

    private readonly TrainedConfigOptions _config = new();
    private readonly OutputOptions _output = new($"{AdapterFiles.Config} and {AdapterFiles.Weights}");

    private readonly Option<string?> _base = new("--base")
    {
        Description = "The base model, to check the adapter against it; needed if an encoder was trained (p-tuning, "
            + "prefix projection) and the artifacts cannot apply it.",
        HelpName = "MODEL",
    };

    private readonly Option<string?> _merge = new("--merge")
    {
        Description = "Also write --base with the adapter merged into it to this folder.",
        HelpName = "DIR",
    };

    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public AdapterFromCheckpointCommand(Host host)
        : base(host, "adapter-from-checkpoint", "Convert a checkpoint trained on a device into an HF PEFT adapter.")
    {
        Examples =
        [
            "ortpeft adapter-from-checkpoint trained/checkpoint --artifacts gpt2-lora --out adapter",
            "ortpeft adapter-from-checkpoint parameters.bin --artifacts gpt2-lora --out adapter "
                + "--base gpt2-onnx --merge merged",
        ];
        Notes = "A checkpoint in its artifact folder needs no --artifacts. Where it has a file "
            + $"'{OrtCheckpoint.FileName}{OrtCheckpoint.ExternalDataSuffix}', keep that beside it.";
        Arguments.Add(_checkpoint);
        Add(_config);
        Add(_output);
        Options.Add(_base);
        Options.Add(_merge);
    }

    protected override void Run(Invocation run)
    {
        var (file, path) = (run.Get(_checkpoint), _output.PathOf(run));
        var (config, artifacts) = _config.Read(run, file);
        var parameters = TrainedParameters.Load(file, artifacts);
        using var folder = _output.Open(
            run, FolderFiles.OfAdapter, InputFiles.In(artifacts ?? "").Append(parameters.Source));
        var answer = new JsonObject
        {
            ["out"] = path,
            ["method"] = config.PeftType,
            ["parameters"] = parameters.Trained.Sum(static t => t.Value.Count),
            ["step"] = parameters.Step,
        };
        if (run.Get(_base) is { } model)
            Blame.On(model, () => WithBase(run, model, parameters, config, folder, answer));
        else
            AdapterFolder.Save(folder.Stage, config, Alone(run, parameters, config, artifacts));
        folder.Keep();
        var steps = parameters.Step is { } step ? $", after {Human.Count(step, "step")}" : "";
        var count = Human.Count(parameters.Trained.Count, "parameter");
        run.Say($"Wrote {path}: {AdapterFiles.Config}, {AdapterFiles.Weights}; {count} of {config.PeftType}{steps}.");
        run.Answer(answer);
    }

    /// <summary>The tensors to save where the base is not at hand; the model that makes them may be among the
    /// artifacts.</summary>
    private IReadOnlyDictionary<string, Tensor> Alone(
        Invocation run, TrainedParameters parameters, PeftConfig config, string? artifacts)
    {
        if (run.Has(_merge))
            throw new UsageException("--merge folds the adapter into the base model; give that with --base.");
        var weights = Blame.On(parameters.Source, () => TrainedAdapter.Weights(parameters, config));
        if (artifacts is not null && ArtifactManifest.Load(artifacts).Saving is { } saving)
            return SavingSession.Run(artifacts, saving, weights, run.Runtime);
        return config.WhyBaseIsNeeded([.. weights.Keys]) is not { } reason
            ? weights
            : throw new UsageException($"{parameters.Source}: {reason}; give the model with --base.");
    }

    private void WithBase(
        Invocation run,
        string model,
        TrainedParameters parameters,
        PeftConfig config,
        OutputFolder folder,
        JsonObject answer)
    {
        var source = ModelSource.Open(model, run.Note);
        var peft = Blame.On(parameters.Source, () => TrainedAdapter.On(source.Model, parameters, config));
        UnmatchedFields.WarningOf(run, parameters.Source)(peft.Adapters.UnmatchedOf(PeftModel.DefaultName));
        peft.Save(folder.Stage);
        if (run.Get(_merge) is not { } path)
            return;
        if (FileState.IsSame(path, source.Folder) || FileState.IsSame(path, folder.FullPath))
            throw new UsageException($"--merge {path} is the model's own folder or --out; give another folder.");
        using var target = _output.OpenOther(
            run, _merge.Name, path, FolderFiles.OfMergedModel(source.Folder), InputFiles.Of(source));
        var merged = MergedModel.Write(run, source, peft, MergeForm.Float, target.Stage);
        target.Keep();
        run.Say($"Wrote {path}: {merged.Describe()}");
        answer["merged"] = path;
        merged.AddTo(answer);
    }
}
