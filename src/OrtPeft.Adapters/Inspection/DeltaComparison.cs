namespace OrtPeft.Adapters.Inspection;

/// <summary>The changes that two LoRA adapters make to the layers of one base, layer by layer and all together.</summary>
/// <param name="Modules">The layers that one of them changes, those of the first adapter first.</param>
/// <param name="Cosine">The cosine of the angle between both changes as a whole; null where one is 0 or holds
/// NaN.</param>
public sealed record DeltaComparison(IReadOnlyList<ModuleDifference> Modules, double? Cosine)
{
    /// <summary>Compares them, a layer at a time.</summary>
    /// <returns>The comparison, or null and why there is none.</returns>
    internal static (DeltaComparison? Deltas, string? WhyNone) Of(StoredAdapter first, StoredAdapter second)
    {
        if ((WhyNone(first) ?? WhyNone(second) ?? WhyNotOneBase(first, second)) is { } reason)
            return (null, reason);
        HashSet<string> ofFirst = [.. LowRankDelta.ModulesOf(first)], ofSecond = [.. LowRankDelta.ModulesOf(second)];
        var modules = new List<ModuleDifference>();
        var (inner, firstSquares, secondSquares) = (0.0, 0.0, 0.0);
        foreach (var module in ofFirst.Union(ofSecond))
        {
            var a = ofFirst.Contains(module) ? LowRankDelta.Read(first, module) : null;
            var b = ofSecond.Contains(module) ? LowRankDelta.Read(second, module) : null;
            if (a is not null && b is not null && !a.IsLike(b))
                return (null, $"the adapters are for bases of other widths, as '{module}' shows");
            var (x, y) = (a?.Norm ?? 0, b?.Norm ?? 0);
            var product = a is null || b is null ? 0 : a.Inner(b);
            var rest = a is null ? y : b is null ? x : a.Less(b).Norm;
            modules.Add(new ModuleDifference(module, x, y, Ratio(rest, Math.Max(x, y)), CosineOf(product, x, y)));
            inner += product;
            firstSquares += x * x;
            secondSquares += y * y;
        }

        return (new DeltaComparison(modules, CosineOf(inner, Math.Sqrt(firstSquares), Math.Sqrt(secondSquares))), null);
    }

    private static double? Ratio(double rest, double norm) =>
        rest == 0 ? 0 : double.IsFinite(rest) && double.IsFinite(norm) ? rest / norm : null;

    private static double? CosineOf(double inner, double first, double second)
    {
        var cosine = inner / (first * second);
        return double.IsFinite(cosine) ? Math.Clamp(cosine, -1, 1) : null;
    }

    /// <summary>All that an adapter changes must be sums, or the angle would be of a part.</summary>
    private static string? WhyNone(StoredAdapter adapter)
    {
        var modules = LowRankDelta.ModulesOf(adapter).ToHashSet(StringComparer.Ordinal);
        return adapter.Tensors.Keys.FirstOrDefault(name => !modules.Contains(AdapterInspection.ModuleOf(name))) is { } rest
            ? $"'{rest}' of {adapter.Folder} does not belong to a sum s·B·A of the rank that the configuration says"
            : null;
    }

    /// <summary>Folders' paths differ from machine to machine, their names seldom.</summary>
    private static string? WhyNotOneBase(StoredAdapter first, StoredAdapter second)
    {
        var (a, b) = (NameOf(first), NameOf(second));
        return a is null || b is null || a == b ? null : $"the adapters are of two bases, {a} and {b}";
    }

    private static string? NameOf(StoredAdapter adapter) =>
        adapter.Config.BaseModelNameOrPath?.TrimEnd('/', '\\') is { Length: > 0 } path
            ? path.Split('/', '\\')[^1]
            : null;
}
