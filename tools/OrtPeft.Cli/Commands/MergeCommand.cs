using System.Text.Json.Nodes;
using OrtPeft.Cli.Files;
using OrtPeft.Cli.Options;
using OrtPeft.Cli.Reporting;

namespace OrtPeft.Cli.Commands;

/// <summary>Folds an adapter into its base.</summary>
internal sealed class MergeCommand : Verb
{
    private readonly ModelArgument _model = new();
    private readonly AdapterOption _adapter = new() { Required = true };
    private readonly MergeOptions _merge = new();
    private readonly OutputOptions _output = new("the merged model and the tokenizer's files");

    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public MergeCommand(Host host)
        : base(host, "merge", "Merge adapters into a copy of the model and verify that its outputs match.")
    {
        Examples =
        [
            "ortpeft merge gpt2-onnx --adapter adapter --out merged",
            "ortpeft merge gpt2-onnx --adapter style --adapter task --out merged",
            "ortpeft merge llama-int4 --adapter adapter --out merged --as branches",
        ];
        Arguments.Add(_model);
        Options.Add(_adapter);
        Add(_merge);
        Add(_output);
    }

    protected override void Run(Invocation run)
    {
        var source = _model.Open(run);
        AccuracyNote.Warn(run, source);
        var path = _output.PathBeside(run, source);
        var peft = _adapter.LoadOn(source.Model, run)!; // the option is required
        using var folder = _output.Open(run, FolderFiles.OfMergedModel(source.Folder), InputFiles.Of(source));
        var merged = MergedModel.Write(run, source, peft, _merge.Read(run), folder.Stage);
        folder.Keep();
        run.Say($"Wrote {path}: {merged.Describe()}");
        var answer = new JsonObject { ["out"] = path };
        merged.AddTo(answer);
        run.Answer(answer);
    }
}
