using OrtPeft.Adapters.Merging;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Passes.Idioms;

namespace OrtPeft.Adapters;

/// <summary>A base as it was given, and in the form that adapters are put on.</summary>
/// <param name="Original">The base as it was given.</param>
/// <param name="Canonical">Its canonical form, where every layer has vectors of its own; shares the weights.</param>
internal sealed record BaseModel(Model Original, Model Canonical)
{
    /// <summary>Whether the original chooses between graphs at run time, as Optimum's merged decoders do.</summary>
    public bool HasBranches => Original.Graph.Nodes.Any(static n => n.Subgraphs.Any());

    /// <summary>Brings a copy of a model into that form.</summary>
    /// <exception cref="UnsupportedOpException">It cannot be, or hides layers in loops or in branches that data
    /// choose.</exception>
    public static BaseModel Of(Model original)
    {
        var canonical = original.Clone();
        CanonicalForm.Apply(canonical);
        ControlFlow.Refuse(canonical);
        NameMap.Apply(canonical);
        SharedVectors.Separate(canonical.Graph);
        return new BaseModel(original, canonical);
    }

    /// <summary>
    /// The model that leaves OrtPeft after a merge: the base's own graph with the merged weights, branches included.
    /// </summary>
    /// <param name="merged">The canonical form with adapters merged; edited in place.</param>
    /// <param name="form">What becomes of layers that are not of float32.</param>
    /// <returns>
    /// A copy of the original; where a changed weight does not stand for one of the original, or would be rounded but may
    /// not, <paramref name="merged"/>.
    /// </returns>
    public MergeOutcome Leaving(Model merged, MergeForm form)
    {
        if (SourceGraph.With(this, merged, form) is { } outcome)
            return outcome;
        RmsNormLowering.Run(merged);
        DecoderNaming.Restore(merged);
        return new MergeOutcome(merged, IsSourceGraph: false, Requantized: 0, RelativeError: 0);
    }
}
