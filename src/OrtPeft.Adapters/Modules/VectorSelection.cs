namespace OrtPeft.Adapters.Modules;

/// <summary>Picks vectors for methods that train parameters of the base.</summary>
internal static class VectorSelection
{
    /// <summary>The vectors that a configuration means.</summary>
    /// <param name="vectors">What there is.</param>
    /// <param name="config">Its targets name modules; without targets all vectors count.</param>
    /// <param name="what">What messages call such vectors, such as <c>biases</c>.</param>
    /// <exception cref="ConfigException">Nothing is left.</exception>
    public static IReadOnlyList<VectorParameter> Select(
        IReadOnlyList<VectorParameter> vectors, TargetedConfig config, string what)
    {
        var selected = Find(vectors, config);
        if (selected.Count > 0)
            return selected;
        var known = string.Join(", ", vectors.Select(static v => v.Module.Split('.')[^1]).Distinct().Order());
        throw new ConfigException(known.Length == 0
            ? $"The model has no {what}."
            : $"target_modules '{config.TargetModules}' matches no module with {what}; there are: {known}.");
    }

    /// <summary>The same, where nothing may be left.</summary>
    public static IReadOnlyList<VectorParameter> Find(IReadOnlyList<VectorParameter> vectors, TargetedConfig config) =>
    [
        .. vectors
            .Where(v => config.TargetModules is not { } targets || TargetSelector.Matches(v.Module, targets))
            .Where(v => config.ExcludeModules is not { } exclude || !TargetSelector.IsExcluded(v.Module, exclude))
            .Where(v => !TargetSelector.IsSaved(v.Module, config.ModulesToSave))
            .Where(v => config.LayersToTransform is not { Count: > 0 } layers
                || TargetSelector.IsInLayers(v.Module, layers, config.LayersPattern)),
    ];
}
