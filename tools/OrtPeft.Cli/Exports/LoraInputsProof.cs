using System.Text.Json.Nodes;
using OrtPeft.Adapters;
using OrtPeft.Adapters.Exports;
using OrtPeft.Cli.Files;
using OrtPeft.Cli.Reporting;
using OrtPeft.Models;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Serialization;

namespace OrtPeft.Cli.Exports;

/// <summary>
/// ONNX Runtime runs what was written: without an adapter as the base, and with each adapter file activated by its own
/// function as OrtPeft computes with the adapter. Inputs without defaults get the rank 0 by default.
/// </summary>
/// <param name="Lines">What came out, for people.</param>
/// <param name="Facts">The same for programs.</param>
internal sealed record LoraInputsProof(IReadOnlyList<string> Lines, JsonObject Facts)
{
    /// <summary>Runs all.</summary>
    public static LoraInputsProof Of(ExportJob job, PeftModel peft, LoraInputs inputs, string folder)
    {
        var written = OnnxFile.Load(Path.Combine(folder, ModelSource.ModelFileName));
        inputs.SetDefaults(written);
        var check = LogitsProof.Of(job.Run, job.Source, isAsConsumersRun: true);
        var ofBase = check.Compare("the base without an adapter", peft.Base, written);
        List<string> lines =
        [
            ofBase == 0
                ? "ONNX Runtime: without an adapter it answers bit for bit as the base."
                : $"ONNX Runtime: without an adapter its logits differ from the base's by at most {Human.Rate(ofBase)}.",
        ];
        var exact = Exact(written);
        var isRounding = !ReferenceEquals(exact, written);
        var stored = inputs.IsHalf ? inputs.Model.Graph.Initializers.Select(static v => v.Type).ToList() : [];
        var differences = new JsonObject();
        foreach (var (name, members) in LoraInputsExport.GroupsOf(job))
        {
            var file = Path.Combine(folder, LoraInputsExport.FileOf(name));
            peft.Adapters.Set(members);
            var unmerged = peft.Model.Clone();
            DropoutLowering.ForEvaluation(unmerged);
            var difference = check.Compare($"adapter '{name}'", unmerged, exact, file, stored);
            differences[name] = difference;
            var asGiven = isRounding
                ? $" (computed in float; as the graph rounds activations, {Human.Rate(check.Measure(unmerged, written, file).Largest)})"
                : "";
            lines.Add($"ONNX Runtime with {LoraInputsExport.FileOf(name)}: logits differ from OrtPeft's by at most "
                + $"{Human.Rate(difference)}{asGiven}.");
        }

        return new LoraInputsProof(lines, new JsonObject { ["base"] = ofBase, ["adapters"] = differences });
    }

    /// <summary>The graph without rounded activations, which OrtPeft does not have: a difference would hide in
    /// theirs.</summary>
    public static Model Exact(Model written)
    {
        if (AccuracyNote.CountIn(written.Graph) == 0)
            return written;
        var exact = written.Clone();
        foreach (var node in exact.Graph.Nodes.Where(static n => n.OpType == "MatMulNBits"))
            node.Attributes.Set(NodeAttribute.Of("accuracy_level", 0L));
        return exact;
    }
}
