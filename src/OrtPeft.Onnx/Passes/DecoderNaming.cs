using OrtPeft.Onnx.Decoders;
using OrtPeft.Onnx.Shapes;

namespace OrtPeft.Onnx.Passes;

/// <summary>
/// Gives a language model's inputs and outputs Optimum's names, by which everything else looks for them. Exporters call
/// them as they like: <c>idx</c>, <c>input1</c>, <c>linear_14</c>.
/// </summary>
internal static class DecoderNaming
{
    private static readonly string[] Names =
        [DecoderNames.Ids, DecoderNames.Mask, DecoderNames.Positions, DecoderNames.Labels];

    /// <summary>
    /// The pass, in place: renames where a role is clear, remembers the old names in <see cref="Model.OriginalNames"/>,
    /// and puts the logits first among the outputs. A graph that is not a language model keeps its names.
    /// </summary>
    /// <param name="model">The model, in canonical form otherwise.</param>
    public static void Run(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var roles = WithSaid(model, DecoderRoles.Of(model.Graph));
        if (roles.Logits is not { } logits)
            return;
        PutFirst(model.Graph, logits);
        if (roles.Ids is not { } ids)
            return;
        Rename(model, ids, DecoderNames.Ids);
        Rename(model, roles.Mask, DecoderNames.Mask);
        Rename(model, roles.Positions, DecoderNames.Positions);
        Rename(model, Said(model, DecoderNames.Labels), DecoderNames.Labels);
        Rename(model, logits, DecoderNames.Logits);
        StateAxes(ids, roles);
        ChoicesOfIds.Run(model);
        LogitsAxes.Run(model);
    }

    /// <summary>
    /// A model under Optimum's names and with the axes of its caches stated as far as their readers know them,
    /// otherwise as it is.
    /// </summary>
    /// <param name="model">The model, in any form; not changed.</param>
    /// <returns>The model itself where it has these names or no clear roles, else a copy.</returns>
    public static Model Named(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var isNamed = (model.OriginalNames.Count > 0 || !model.Metadata.ContainsKey(MetadataKeys.ValueNames))
            && model.Graph.Inputs.All(static i => i.Initializer is not null || IsKnown(i))
            && model.Graph.Inputs.Any(static i => i.Name == DecoderNames.Ids)
            && !HasOtherAxes(model.Graph)
            && model.Graph.Outputs.Any(static o => o.Name == DecoderNames.Logits);
        var unstated = model.Graph.Inputs.Where(IsUnstatedCache).Select(static i => i.Name).ToArray();
        if (isNamed && unstated.Length == 0)
            return model;
        var canonical = model.Clone();
        try
        {
            CanonicalForm.Apply(canonical);
        }
        catch (Exception e) when (e is UnsupportedOpException or GraphException)
        {
            Run(canonical);
        }

        if (canonical.OriginalNames.Count == 0 && unstated.Length == 0 && !HasOtherAxes(model.Graph))
            return model;
        var named = model.Clone();
        foreach (var cache in unstated)
        {
            if (canonical.Graph.Find(cache) is { } stated)
                named.Graph.Find(cache)!.Shape = stated.Shape;
        }

        var renamed = canonical.OriginalNames.Where(n => !named.OriginalNames.ContainsKey(n.Key))
            .Select(n => (n.Key, Value: named.Graph.Find(n.Value))).ToList();
        foreach (var (name, value) in renamed)
            Rename(named, value, name);
        ChoicesOfIds.Run(named);
        LogitsAxes.Run(named);
        return named;
    }

    /// <summary>Whether a cache's heads or width have no numbers in a graph, and what reads it does not tell
    /// either.</summary>
    /// <param name="model">The model, in any form; not changed.</param>
    /// <returns>Whether something else must tell before an empty cache can be made.</returns>
    public static bool HasUnstatedCaches(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return model.Graph.Inputs.Any(IsUnstatedCache) && Named(model).Graph.Inputs.Any(IsUnstatedCache);
    }

    /// <summary>Whether ids or logits may have other axes than Optimum's.</summary>
    private static bool HasOtherAxes(Graph graph) => ChoicesOfIds.Is(graph) || LogitsAxes.MayBeOthers(graph);

    /// <summary>Gives inputs and outputs the names back that <see cref="Run"/> took from them.</summary>
    /// <param name="model">A model that leaves OrtPeft; edited in place.</param>
    public static void Restore(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var (graph, renamed) = (model.Graph, new List<(Value Value, string Original)>());
        foreach (var (name, original) in model.OriginalNames)
        {
            if (graph.Find(name) is { } value)
                renamed.Add((value, original));
        }

        foreach (var (value, _) in renamed) // two of them may have changed their names
            graph.Rename(value, graph.FreshName($"{value.Name}/renamed"));
        foreach (var (value, original) in renamed.Where(r => graph.Find(r.Original) is null))
            graph.Rename(value, original);
        model.OriginalNames.Clear();
    }

    /// <summary>The roles, those first that the model's metadata gives by a person's word.</summary>
    private static DecoderRoles WithSaid(Model model, DecoderRoles found) => new(
        Said(model, DecoderNames.Ids) ?? found.Ids,
        Said(model, DecoderNames.Mask) ?? found.Mask,
        Said(model, DecoderNames.Positions) ?? found.Positions,
        Said(model, DecoderNames.Logits) ?? found.Logits);

    private static Value? Said(Model model, string role)
    {
        if (!model.TextsOf(MetadataKeys.ValueNames).TryGetValue(role, out var name))
            return null;
        var isDone = model.OriginalNames.GetValueOrDefault(role) == name;
        var values = role == DecoderNames.Logits ? model.Graph.Outputs : model.Graph.Inputs;
        return values.FirstOrDefault(v => v.Name == (isDone ? role : name));
    }

    private static void Rename(Model model, Value? value, string name)
    {
        if (value is null || value.Name == name)
            return;
        if (model.Graph.Find(name) is { } other)
            Move(model, other, model.Graph.FreshName($"{name}_0"));
        Move(model, value, name);
    }

    private static void Move(Model model, Value value, string name)
    {
        if (!model.OriginalNames.Remove(value.Name, out var original))
            original = value.Name;
        if (original != name)
            model.OriginalNames[name] = original;
        model.Graph.Rename(value, name);
    }

    private static bool IsKnown(Value input) => Names.Contains(input.Name) || CacheInputs.IsPast(input);

    /// <summary>Whether a cache's heads or width have no numbers; what reads it may know them.</summary>
    private static bool IsUnstatedCache(Value input) => CacheInputs.IsPast(input)
        && (input.Shape![input.Shape.Rank - 1].Value is null || input.Shape[input.Shape.Rank - 3].Value is null);

    private static void PutFirst(Graph graph, Value logits)
    {
        var outputs = graph.Outputs.ToArray();
        if (outputs[0] == logits)
            return;
        foreach (var output in outputs)
            graph.RemoveOutput(output);
        foreach (var output in outputs.Where(o => o != logits).Prepend(logits))
            graph.AddOutput(output);
    }

    /// <summary>Where a file states no axes, they are what the roles say.</summary>
    private static void StateAxes(Value ids, DecoderRoles roles)
    {
        ids.Shape ??= [Dim.Named("batch"), Dim.Named("sequence")];
        foreach (var beside in (Value?[])[roles.Mask, roles.Positions])
        {
            if (beside is { Shape: null })
                beside.Shape = ids.Shape;
        }
    }
}
