using System.Globalization;
using OrtPeft.Adapters;
using OrtPeft.Cli.Data;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Files;
using OrtPeft.Cli.Options;
using OrtPeft.Cli.Reporting;
using OrtPeft.Inference.Evaluation;
using OrtPeft.Models;
using OrtPeft.Models.Checkpoints;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Serialization;

namespace OrtPeft.Cli.Commands;

/// <summary>Folds an adapter into its base.</summary>
internal sealed class MergeCommand : Verb
{
    private const float Tolerance = 1e-3f;
    private const int ComparedRows = 3;
    private const int ComparedTokens = 32;

    private readonly ModelArgument _model = new();
    private readonly AdapterOption _adapter = new() { Required = true };
    private readonly OutputOptions _output = new("the merged model and the tokenizer's files");

    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public MergeCommand(Host host)
        : base(host, "merge", "Fold adapters into a copy of the model, and check that it answers as before.")
    {
        Examples =
        [
            "ortpeft merge gpt2-onnx --adapter adapter --out merged",
            "ortpeft merge gpt2-onnx --adapter style --adapter task --out merged",
        ];
        Arguments.Add(_model);
        Options.Add(_adapter);
        Add(_output);
    }

    protected override void Run(Invocation run)
    {
        var source = _model.Open(run);
        var path = _output.PathBeside(run, source);
        var peft = _adapter.LoadOn(source.Model, run)!; // the option is required
        using var folder = _output.Open(run, ModelSource.ModelFileName);
        var (stage, merged) = (folder.Stage, peft.Merge());
        if (peft.HasBranches && !merged.Graph.Nodes.Any(static n => n.Subgraphs.Any()))
            run.Note("one of the model's weights stands for several that now differ, so the merged model has no If: " +
                "it is the branch without a cache.");
        var modelFile = Path.Combine(stage, ModelSource.ModelFileName);
        var bytes = merged.Graph.Initializers.Sum(static v => v.Initializer!.Data.Length);
        var external = new OnnxSaveOptions { ExternalData = true };
        WritingReport.Follow(run, stage, bytes, () => OnnxFile.Save(merged, modelFile, external));
        var difference = Difference(run, source, peft, modelFile);
        HfCheckpoint.CopyCompanions(source.Folder, stage);
        var isHfFolder = HfExport.TryWrite(source, merged, stage);
        folder.Keep();
        run.Say($"Wrote {path}: {Human.Bytes(bytes)} of weights{(isHfFolder ? ", as ONNX and as HF folder" : "")}; " +
            $"logits differ from the unmerged model's by at most {Human.Rate(difference)}.");
        run.Answer(new()
        {
            ["out"] = path,
            ["weight_bytes"] = bytes,
            ["largest_logit_difference"] = difference,
            ["hf_layout"] = isHfFolder,
        });
    }

    /// <summary>Compares what was written with the model that has its adapter beside it.</summary>
    private static float Difference(Invocation run, ModelSource source, PeftModel peft, string mergedFile)
    {
        var unmerged = peft.Model.Clone();
        DropoutLowering.ForEvaluation(unmerged);
        var length = Math.Min(ComparedTokens, ModelLimits.ContextLength(source) ?? ComparedTokens);
        var vocabulary = ModelLimits.VocabularySize(source) ?? 1;
        var rows = LogitsComparison.RandomSequences(ComparedRows, length, vocabulary, seed: 0);
        var runtime = run.Runtime with { Prepacking = false };
        var found = LogitsComparison.Compare(unmerged, OnnxFile.Load(mergedFile), rows, runtime);
        return found.Largest <= Tolerance
            ? found.Largest
            : throw new ResultException(string.Create(
                CultureInfo.InvariantCulture,
                $"The merged model's logits differ by {found.Largest} from the unmerged model's (token {found.Token}: "
                + $"{found.Second}, not {found.First}), over the {Tolerance} allowed; nothing was written. "
                + $"Check the adapter's weights."));
    }
}
