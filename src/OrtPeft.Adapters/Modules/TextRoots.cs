using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Modules;

/// <summary>
/// The module that holds a decoder's layers has one name in a model of texts alone and two in a model that reads pictures
/// too, as transformers 4.52 moved it. An adapter of any of them goes on the others.
/// </summary>
internal static class TextRoots
{
    private const string Old = "language_model.model.";
    private const string OldPlace = "language_model.";

    /// <summary>A root that ends as another stands before it.</summary>
    private static readonly string[] Roots = ["model.language_model.", Old, "model."];

    /// <summary>An adapter under the base's names.</summary>
    /// <param name="graph">The base.</param>
    /// <param name="config">The adapter's configuration; lists of names in it are changed too.</param>
    /// <param name="weights">Its tensors, under HF PEFT's names.</param>
    public static (PeftConfig Config, IReadOnlyDictionary<string, Tensor> Weights) Placed(
        Graph graph, PeftConfig config, IReadOnlyDictionary<string, Tensor> weights)
    {
        var given = RootOf(weights.Keys.Where(IsOfModel).Select(static name => name[HfName.Root.Length..]));
        var own = RootOf(graph.Initializers.Select(static v => v.Name));
        if (given is null || own is null || given == own)
            return (config, weights);
        var renamed = weights.ToDictionary(
            w => IsOfModel(w.Key) ? HfName.Root + Renamed(w.Key[HfName.Root.Length..]) : w.Key,
            static w => w.Value,
            StringComparer.Ordinal);
        return (config is TargetedConfig targeted ? Of(targeted) : config, renamed);

        TargetedConfig Of(TargetedConfig named) => named with
        {
            TargetModules = Listed(named.TargetModules),
            ExcludeModules = Listed(named.ExcludeModules),
            ModulesToSave = named.ModulesToSave is { } saved ? [.. saved.Select(Renamed)] : null,
        };

        ModuleTargets? Listed(ModuleTargets? targets) =>
            targets is { Pattern: null } ? ModuleTargets.Listed(targets.Names.Select(Renamed)) : targets;

        string Renamed(string path) =>
            path.StartsWith(given, StringComparison.Ordinal) ? own + path[given.Length..]
            : given == Old && path.StartsWith(OldPlace + DecoderFamilies.Head, StringComparison.Ordinal) ? path[OldPlace.Length..]
            : own == Old && path.StartsWith(DecoderFamilies.Head, StringComparison.Ordinal) ? OldPlace + path
            : path;
    }

    private static bool IsOfModel(string name) => name.StartsWith(HfName.Root, StringComparison.Ordinal);

    private static string? RootOf(IEnumerable<string> paths)
    {
        var all = paths.ToList();
        return Roots.FirstOrDefault(root => all.Any(path => path.StartsWith($"{root}layers.", StringComparison.Ordinal)));
    }
}
