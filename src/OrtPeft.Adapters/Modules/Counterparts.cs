using OrtPeft.Onnx;

namespace OrtPeft.Adapters.Modules;

/// <summary>
/// Finds in a copy of a base what an adapter was put on, by its name: a merge changes these modules and no others,
/// whatever the configuration would choose in the copy.
/// </summary>
internal static class Counterparts
{
    /// <summary>The layers of a copy.</summary>
    /// <exception cref="ConfigException">The copy lacks one.</exception>
    public static IReadOnlyList<LinearModule> Of(IReadOnlyList<LinearModule> layers, Graph copy)
    {
        if (layers.Count == 0)
            return [];
        var all = ModuleCatalogue.LinearModules(copy).ToDictionary(static m => m.Name, StringComparer.Ordinal);
        return [.. layers.Select(layer => Found(all.GetValueOrDefault(layer.Name), layer.Name))];
    }

    /// <summary>The layer of a copy.</summary>
    /// <exception cref="ConfigException">The copy lacks it.</exception>
    public static LinearModule Of(LinearModule layer, Graph copy) => Of([layer], copy)[0];

    /// <summary>The embedding of a copy.</summary>
    /// <exception cref="ConfigException">The copy lacks it.</exception>
    public static EmbeddingModule Of(EmbeddingModule embedding, Graph copy) =>
        Found(EmbeddingCatalogue.Embeddings(copy).FirstOrDefault(e => e.Name == embedding.Name), embedding.Name);

    /// <summary>The parameters of a copy.</summary>
    /// <exception cref="ConfigException">The copy lacks one.</exception>
    public static IReadOnlyList<SavedParameter> Of(IReadOnlyList<SavedParameter> parameters, Graph copy)
    {
        if (parameters.Count == 0)
            return [];
        var all = SavedModules.All(copy).DistinctBy(static s => s.Name)
            .ToDictionary(static s => s.Name, StringComparer.Ordinal);
        return [.. parameters.Select(p => Found(all.GetValueOrDefault(p.Name), p.Name))];
    }

    /// <summary>The folding that puts trained parameters of the base back in place, under the names that they have
    /// now.</summary>
    public static Folding FoldingOf(IEnumerable<AdapterParameter> parameters)
    {
        var places = parameters.Select(static p => (p.Name, InGraph: p.Value.Name)).ToArray();
        return (copy, weights) =>
        {
            foreach (var (name, inGraph) in places)
                copy.SetInitializer(Found(copy.Find(inGraph), inGraph), weights[name]);
        };
    }

    private static T Found<T>(T? counterpart, string name)
        where T : class => counterpart ?? throw new ConfigException(
            $"The base has no '{name}', which the adapter was put on; merge it into the base that it was made for.");
}
