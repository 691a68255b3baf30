using OrtPeft.Models.Llama;

namespace OrtPeft.Models.Qwen2;

/// <summary>Qwen2 in sizes that were published, and one for tests.</summary>
internal static class Qwen2Presets
{
    private static readonly LlamaConfig Qwen25 = Qwen2Family.Defaults with
    {
        RopeTheta = 1_000_000,
        TieWordEmbeddings = true,
        KeyValueHeads = 2,
        BosTokenId = 151643,
        EosTokenId = 151643,
    };

    private static readonly (string Name, LlamaConfig Config)[] Rows =
    [
        ("tiny-qwen2", Qwen25 with
        {
            VocabSize = 2048,
            Positions = 128,
            HiddenSize = 128,
            IntermediateSize = 344,
            Layers = 4,
            Heads = 4,
            BosTokenId = 2047,
            EosTokenId = 2047,
        }),
        ("qwen2.5-0.5b", Qwen25 with { HiddenSize = 896, IntermediateSize = 4864, Layers = 24, Heads = 14 }),
        ("qwen2.5-1.5b", Qwen25 with
        {
            Positions = 131072,
            HiddenSize = 1536,
            IntermediateSize = 8960,
            Layers = 28,
            Heads = 12,
        }),
    ];

    /// <summary>The presets' names, smallest first.</summary>
    public static IEnumerable<string> Names => Rows.Select(static row => row.Name);

    /// <summary>A preset; override fields with <c>with</c>.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <returns>The description.</returns>
    /// <exception cref="ModelConfigException">There is no such preset.</exception>
    public static LlamaConfig Find(string name) => ModelPresets.Find(Rows, name);
}
