using System.Globalization;
using System.Text.Json.Nodes;
using OrtPeft.Adapters;
using OrtPeft.Adapters.Merging;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Reporting;
using OrtPeft.Models;
using OrtPeft.Models.Checkpoints;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Tensors;

namespace OrtPeft.Cli.Files;

/// <summary>A base with an adapter folded in, written and compared with the two side by side.</summary>
/// <param name="WeightBytes">What its weights take.</param>
/// <param name="Difference">The largest difference of a logit.</param>
/// <param name="HfType">The type of the weights in the HF folder that the folder is too; null when it is none.</param>
/// <param name="Outcome">What merging did.</param>
internal sealed record MergedModel(long WeightBytes, float Difference, ElementType? HfType, MergeOutcome Outcome)
{
    /// <summary>Writes the model and what lies beside the base: configuration, tokenizer.</summary>
    /// <param name="run">Where notes and progress go.</param>
    /// <param name="source">The base.</param>
    /// <param name="peft">The base with its adapter.</param>
    /// <param name="form">What becomes of layers that are not of float32.</param>
    /// <param name="folder">Receives the files.</param>
    /// <exception cref="ConfigException">The adapter cannot be folded in.</exception>
    /// <exception cref="ResultException">The merged model answers otherwise than the two side by side.</exception>
    public static MergedModel Write(Invocation run, ModelSource source, PeftModel peft, MergeForm form, string folder)
    {
        var outcome = peft.MergeAs(form);
        var merged = outcome.Model;
        if (!outcome.IsSourceGraph && !peft.HasBranches && source.ModelPath is not null && form != MergeForm.Float32)
            run.Note("a weight that changes does not stand by itself in the given graph, so the graph is written in canonical form.");
        if (peft.HasBranches && !merged.Graph.Nodes.Any(static n => n.Subgraphs.Any()))
            run.Note("one of the model's weights stands for several that now differ, so the merged model has no If: " +
                "it is the branch without a cache.");
        var modelFile = Path.Combine(folder, ModelSource.ModelFileName);
        var bytes = merged.Graph.Initializers.Sum(static v => v.Initializer!.Data.Length);
        var external = new OnnxSaveOptions { ExternalData = true };
        WritingReport.Follow(run, folder, bytes, () => OnnxFile.Save(merged, modelFile, external));
        var difference = Compare(run, source, peft, outcome, modelFile);
        HfCheckpoint.CopyCompanions(source.Folder, folder);
        if (outcome.IsSourceGraph)
            GenAiFolder.Copy(source, folder);
        var type = HfExport.TryWrite(source, merged, folder);
        if (type is null)
            HfWeightFile.Describe(folder, ElementType.Float);
        if (!outcome.IsSourceGraph || source.ModelPath is null)
            WarnOfWidening(run, source, type ?? ElementType.Float);
        return new MergedModel(bytes, difference, type, outcome);
    }

    /// <summary>A description of what was written, for people.</summary>
    public string Describe() =>
        $"{Human.Bytes(WeightBytes)} of weights{Forms()}; {Rounding()}"
        + $"logits differ from the unmerged model's by at most {Human.Rate(Difference)}.";

    /// <summary>A description of what was written, for programs.</summary>
    public void AddTo(JsonObject answer)
    {
        answer["weight_bytes"] = WeightBytes;
        answer["largest_logit_difference"] = Difference;
        answer["keeps_graph"] = Outcome.IsSourceGraph;
        answer["requantized_layers"] = Outcome.Requantized;
        answer["requantization_error"] = Outcome.RelativeError;
        answer["rounded_weights"] = Outcome.Rounded;
        answer["rounding_error"] = Outcome.RoundingError;
        answer["hf_layout"] = HfType is not null;
    }

    private string Rounding()
    {
        var requantized = Outcome.Requantized == 0
            ? ""
            : $"{Human.Count(Outcome.Requantized, "layer")} quantised anew, which lost up to {Percent(Outcome.RelativeError)} "
                + "of a layer's change; without --requantize, or with --as branches, nothing is lost; ";
        return Outcome.Rounded == 0
            ? requantized
            : $"{requantized}{Human.Count(Outcome.Rounded, "weight")} rounded to the graph's half precision, which lost up to "
                + $"{Percent(Outcome.RoundingError)} of a weight's change; --keep-float makes a float32 graph, where nothing is "
                + "lost; ";
    }

    private static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{100 * share:0.#} %");

    private string Forms() => HfType switch
    {
        null => "",
        ElementType.Float => ", as ONNX and as HF folder",
        { } type => $", as ONNX in float32 and as HF folder in {HfWeightFile.NameOf(type)}",
    };

    /// <summary>Says where the merged weights take more than the base's.</summary>
    private static void WarnOfWidening(Invocation run, ModelSource source, ElementType written)
    {
        var stored = source.StoredTypes.Count > 0
            ? source.StoredTypes.Values
            : source.Model.Graph.Initializers.Where(static v => v.Initializer!.Dims.Length > 1).Select(static v => v.Type);
        var types = stored.Where(static t => t.IsFloating()).ToList();
        var narrow = types.Where(static t => t.IsHalf()).ToList();
        if (written == ElementType.Float && 2 * narrow.Count > types.Count)
            run.Warn($"the base's weights are {HfWeightFile.NameOf(narrow[0])}, the merged model's are float32.");
    }

    /// <summary>Compares what was written with the model that has its adapter beside it.</summary>
    /// <remarks>
    /// The base's own graph is compared in canonical form: some of ONNX Runtime's operators round, and some do not run
    /// without a cache of their own size. What quantising anew loses is reported, and is no error.
    /// </remarks>
    private static float Compare(
        Invocation run, ModelSource source, PeftModel peft, MergeOutcome outcome, string mergedFile)
    {
        var unmerged = peft.Model.Clone();
        DropoutLowering.ForEvaluation(unmerged);
        var written = OnnxFile.Load(mergedFile);
        if (outcome.IsSourceGraph)
            CanonicalForm.Apply(written);
        var found = LogitsProof.Of(run, source).Measure(unmerged, written);
        var tolerance = LogitsProof.ToleranceOf(found.LargestLogit, outcome.Rounded, outcome.UnitRoundoff);
        return found.Largest <= tolerance || (outcome.Requantized > 0 && float.IsFinite(found.Largest))
            ? found.Largest
            : throw new ResultException(string.Create(
                CultureInfo.InvariantCulture,
                $"The merged model's logits differ by {found.Largest} from the unmerged model's (token {found.Token}: "
                + $"{found.Second}, not {found.First}), over the {tolerance} allowed; nothing was written. "
                + $"Check the adapter's weights."));
    }
}
