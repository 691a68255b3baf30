using OrtPeft.Adapters;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;

namespace OrtPeft.Training.Tests.Conformance;

/// <summary>A base model that the conformance suite puts methods on.</summary>
/// <param name="Name">The family's name.</param>
/// <param name="Open">Makes the base.</param>
/// <param name="OpenOther">Makes a base of the same family and another width.</param>
internal sealed record BaseCase(string Name, Func<Model> Open, Func<Model> OpenOther)
{
    /// <summary>What the layers that GPT-2's rows name are called here; the others have the same name.</summary>
    public IReadOnlyDictionary<string, string[]> Names { get; init; } = new Dictionary<string, string[]>();

    /// <summary>A row's configuration with this family's names.</summary>
    public PeftConfig Named(PeftConfig config)
    {
        if (config is not TargetedConfig targeted)
            return config;
        var targets = targeted.TargetModules;
        return targeted with
        {
            TargetModules = targets is { Pattern: null } ? [.. Named(targets)] : targets,
            ModulesToSave = targeted.ModulesToSave is { } saved ? [.. Named(saved)] : null,
        };
    }

    private IEnumerable<string> Named(IEnumerable<string> modules) =>
        modules.SelectMany(name => Names.GetValueOrDefault(name, [name]));
}
