using OrtPeft.Adapters.Merging;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;

namespace OrtPeft.Adapters;

/// <summary>Models that leave OrtPeft, or run, with what their adapters have learned.</summary>
public static class AdapterMerging
{
    /// <summary>
    /// Folds the active adapters into a copy of the base. The adapted model stays as it is, so to unmerge is to go on
    /// with it; the merged model takes further adapters as any base does.
    /// </summary>
    /// <param name="adapted">The adapted model.</param>
    /// <returns>
    /// The merged model: the base's own graph, whose quantised layers become float where adapters change them;
    /// unchanged weights are shared with the base. A base with branches keeps them, and all read the merged weights.
    /// Only where a changed weight does not stand for one of the base's alone is it the canonical form, of a base with
    /// branches that of the branch for sequences without a past.
    /// </returns>
    /// <exception cref="ConfigException">The method or its configuration cannot be folded in, or the adapters are
    /// disabled; the message says why.</exception>
    public static Model Merge(this PeftModel adapted) => adapted.MergeAs(MergeForm.Float).Model;

    /// <summary>As <see cref="Merge"/>, with a choice of what becomes of quantised layers.</summary>
    /// <param name="adapted">The adapted model.</param>
    /// <param name="form">The choice.</param>
    /// <returns>The merged model, and what was lost.</returns>
    /// <exception cref="ConfigException">As above.</exception>
    public static MergeOutcome MergeAs(this PeftModel adapted, MergeForm form)
    {
        ArgumentNullException.ThrowIfNull(adapted);
        var active = adapted.Adapters.Active;
        if (!adapted.Adapters.IsEnabled)
            throw new ConfigException("The adapters are disabled, so there is nothing to merge; call Enable() first.");
        var merged = form == MergeForm.Branches
            ? LoraBranches.On(adapted.Given, active.Adapters)
            : adapted.Given.Leaving(active.MergeInto(adapted.CanonicalBase.Clone()), form);
        active.RecordMerge(merged.Model);
        return merged;
    }

    /// <summary>
    /// The model to run: the active adapters' nodes beside their layers, dropout off. In a base with branches they are
    /// merged instead, for their nodes stand in the branch for training alone; one that cannot be merged runs in that
    /// branch, without a cache. While disabled, the base.
    /// </summary>
    /// <param name="adapted">The adapted model.</param>
    /// <returns>A model of its own; it shares the weights.</returns>
    public static Model ForInference(this PeftModel adapted)
    {
        ArgumentNullException.ThrowIfNull(adapted);
        var isEnabled = adapted.Adapters.IsEnabled;
        var canMerge = adapted.Adapters.Active.Adapters.All(static a => a.Method.Description.WhyNotMergeable is null);
        var model = !adapted.HasBranches || !canMerge ? adapted.Model.Clone()
            : isEnabled ? adapted.Merge()
            : adapted.Base.Clone();
        DropoutLowering.ForEvaluation(model);
        return model;
    }
}
