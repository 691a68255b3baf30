using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Passes.Idioms;
using OrtPeft.Tensors;

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
        SharedVectors.Separate(canonical.Graph);
        return new BaseModel(original, canonical);
    }

    /// <summary>
    /// The model that leaves OrtPeft after a merge: a merged decoder stays one, and both of its branches read the
    /// merged weights.
    /// </summary>
    /// <param name="merged">The canonical form with adapters merged; edited in place.</param>
    /// <returns>
    /// <paramref name="merged"/>; of a base with branches a copy of the original, unless a changed weight does not
    /// stand for exactly one of the original.
    /// </returns>
    public Model Leaving(Model merged)
    {
        RmsNormLowering.Run(merged);
        DecoderNaming.Restore(merged);
        return HasBranches ? OriginalWith(merged) ?? merged : merged;
    }

    private Model? OriginalWith(Model merged)
    {
        var copy = Original.Clone();
        foreach (var weight in merged.Graph.Initializers)
        {
            var old = Canonical.Graph.Find(weight.Name)?.Initializer;
            if (old == weight.Initializer)
                continue;
            if (old is null || CountOf(old, Canonical) != 1 || CountOf(old, Original) != 1)
                return null;
            var target = copy.Graph.Initializers.First(v => v.Initializer!.Data == old.Data);
            copy.Graph.SetInitializer(target, weight.Initializer!.WithName(target.Name));
        }

        return copy;
    }

    private static int CountOf(Tensor tensor, Model model) =>
        model.Graph.Initializers.Count(v => v.Initializer!.Data == tensor.Data);
}
