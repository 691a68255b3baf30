using OrtPeft.Onnx;

namespace OrtPeft.Adapters;

/// <summary>
/// Carries merged weights back into the graph that a base came from, where that graph chooses between others at run
/// time: a merged decoder stays one, and both of its branches read the merged weights.
/// </summary>
internal static class OriginalGraph
{
    /// <summary>Puts the weights that a merge changed into a copy of the original.</summary>
    /// <param name="original">The base as it was given.</param>
    /// <param name="before">Its canonical form.</param>
    /// <param name="after">The same with an adapter merged.</param>
    /// <returns>The copy, or null when a changed weight does not stand for exactly one of the original.</returns>
    public static Model? With(Model original, Model before, Model after)
    {
        var copy = original.Clone();
        foreach (var merged in after.Graph.Initializers)
        {
            var old = before.Graph.Find(merged.Name)?.Initializer;
            if (old == merged.Initializer)
                continue;
            if (old is null || CountOf(old, before) != 1 || CountOf(old, original) != 1)
                return null;
            var target = copy.Graph.Initializers.First(v => v.Initializer!.Data == old.Data);
            copy.Graph.SetInitializer(target, merged.Initializer!.WithName(target.Name));
        }

        return copy;
    }

    private static int CountOf(Tensor tensor, Model model) =>
        model.Graph.Initializers.Count(v => v.Initializer!.Data == tensor.Data);
}
