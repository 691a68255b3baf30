using OrtPeft.Adapters;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Options;
using OrtPeft.Cli.Reporting;
using OrtPeft.Models;
using OrtPeft.Models.Checkpoints;
using OrtPeft.Onnx.Serialization;

namespace OrtPeft.Cli.Commands;

/// <summary>Folds an adapter into its base.</summary>
internal sealed class MergeCommand : Verb
{
    private readonly ModelArgument _model = new();
    private readonly AdapterOption _adapter = new() { Required = true };
    private readonly OutputOptions _output = new("the merged model and the tokenizer's files");

    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public MergeCommand(Host host)
        : base(host, "merge", "Fold an adapter into a copy of the model, and check that it answers as before.")
    {
        Examples = ["ortpeft merge gpt2-onnx --adapter adapter --out merged"];
        Arguments.Add(_model);
        Options.Add(_adapter);
        Add(_output);
    }

    protected override void Run(Invocation run)
    {
        var source = _model.Open(run);
        var path = _output.PathOf(run);
        if (Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)) == Path.TrimEndingDirectorySeparator(source.Folder))
            throw new UsageException($"--out {path} is the model's own folder, which merging would overwrite; give another folder.");
        var peft = PeftModel.Load(source.Model, run.Get(_adapter)!);
        using var folder = _output.Open(run, ModelSource.ModelFileName);
        var (stage, merged) = (folder.Stage, peft.Merge());
        var modelFile = Path.Combine(stage, ModelSource.ModelFileName);
        var bytes = merged.Graph.Initializers.Sum(static v => v.Initializer!.Data.Length);
        WritingReport.Follow(run, stage, bytes, () => OnnxFile.Save(merged, modelFile, new OnnxSaveOptions { ExternalData = true }));
        HfCheckpoint.CopyCompanions(source.Folder, stage);
        folder.Keep();
        run.Say($"Wrote {path}: {Human.Bytes(bytes)} of weights.");
        run.Answer(new() { ["out"] = path, ["weight_bytes"] = bytes });
    }
}
