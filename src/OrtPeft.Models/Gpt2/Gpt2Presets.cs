namespace OrtPeft.Models.Gpt2;

/// <summary>GPT-2 in the sizes that were published, and one for tests.</summary>
internal static class Gpt2Presets
{
    private static readonly (string Name, Gpt2Config Config)[] Rows =
    [
        ("tiny", Sized(4, 4, 128) with { VocabSize = 2048, Positions = 128, BosTokenId = 2047, EosTokenId = 2047 }),
        ("gpt2", Sized(12, 12, 768)),
        ("gpt2-medium", Sized(24, 16, 1024)),
        ("gpt2-large", Sized(36, 20, 1280)),
        ("gpt2-xl", Sized(48, 25, 1600)),
    ];

    /// <summary>The presets' names, smallest first.</summary>
    public static IEnumerable<string> Names => Rows.Select(static row => row.Name);

    /// <summary>A preset; override fields with <c>with</c>.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <returns>The description.</returns>
    /// <exception cref="ModelConfigException">There is no such preset.</exception>
    public static Gpt2Config Find(string name) => ModelPresets.Find(Rows, name);

    private static Gpt2Config Sized(int layers, int heads, int width) =>
        new() { Layers = layers, Heads = heads, EmbeddingSize = width };
}
