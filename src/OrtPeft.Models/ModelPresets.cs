using OrtPeft.Models.Gpt2;
using OrtPeft.Models.Llama;
using OrtPeft.Models.Qwen2;

namespace OrtPeft.Models;

/// <summary>Descriptions of models by name, of every family: the sizes that were published, and tiny ones.</summary>
public static class ModelPresets
{
    private static readonly (IEnumerable<string> Names, Func<string, ModelConfig> Find)[] Families =
    [
        (Gpt2Presets.Names, Gpt2Presets.Find),
        (LlamaPresets.Names, LlamaPresets.Find),
        (Qwen2Presets.Names, Qwen2Presets.Find),
    ];

    /// <summary>The presets' names, family by family, smallest first.</summary>
    public static IEnumerable<string> Names => Families.SelectMany(static family => family.Names);

    /// <summary>A preset of any family.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <returns>The description.</returns>
    /// <exception cref="ModelConfigException">There is no such preset.</exception>
    public static ModelConfig Find(string name) =>
        Families.FirstOrDefault(family => family.Names.Contains(name)).Find?.Invoke(name) ?? throw Unknown(name, Names);

    internal static TConfig Find<TConfig>(IReadOnlyList<(string Name, TConfig Config)> rows, string name)
        where TConfig : ModelConfig =>
        rows.FirstOrDefault(row => row.Name == name).Config ?? throw Unknown(name, rows.Select(static r => r.Name));

    private static ModelConfigException Unknown(string name, IEnumerable<string> names) =>
        new($"The preset is '{name}'; allowed is one of {string.Join(", ", names)}.");
}
