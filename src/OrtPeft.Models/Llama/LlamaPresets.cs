namespace OrtPeft.Models.Llama;

/// <summary>Llama in sizes that were published, and one for tests.</summary>
internal static class LlamaPresets
{
    private static readonly RopeScaling Llama32Scaling = new() { Type = "llama3", Factor = 32 };

    private static readonly LlamaConfig Llama32 = new()
    {
        VocabSize = 128256,
        Positions = 131072,
        IntermediateSize = 8192,
        KeyValueHeads = 8,
        RmsNormEpsilon = 1e-5f,
        RopeTheta = 500000,
        RopeScaling = Llama32Scaling,
        TieWordEmbeddings = true,
        BosTokenId = 128000,
        EosTokenId = 128001,
    };

    private static readonly (string Name, LlamaConfig Config)[] Rows =
    [
        ("tiny-llama", new LlamaConfig
        {
            VocabSize = 2048,
            Positions = 128,
            HiddenSize = 128,
            IntermediateSize = 344,
            Layers = 4,
            Heads = 4,
            KeyValueHeads = 2,
            BosTokenId = 2047,
            EosTokenId = 2047,
        }),
        ("smollm2-135m", new LlamaConfig
        {
            VocabSize = 49152,
            Positions = 8192,
            HiddenSize = 576,
            IntermediateSize = 1536,
            Layers = 30,
            Heads = 9,
            KeyValueHeads = 3,
            RmsNormEpsilon = 1e-5f,
            RopeTheta = 100000,
            InitializerRange = 1f / 24,
            TieWordEmbeddings = true,
            BosTokenId = 0,
            EosTokenId = 0,
        }),
        ("tinyllama-1.1b", new LlamaConfig
        {
            HiddenSize = 2048,
            IntermediateSize = 5632,
            Layers = 22,
            KeyValueHeads = 4,
            RmsNormEpsilon = 1e-5f,
        }),
        ("llama-3.2-1b", Llama32 with { HiddenSize = 2048, Layers = 16 }),
        ("llama-3.2-3b", Llama32 with { HiddenSize = 3072, Layers = 28, Heads = 24 }),
    ];

    /// <summary>The presets' names, smallest first.</summary>
    public static IEnumerable<string> Names => Rows.Select(static row => row.Name);

    /// <summary>A preset; override fields with <c>with</c>.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <returns>The description.</returns>
    /// <exception cref="ModelConfigException">There is no such preset.</exception>
    public static LlamaConfig Find(string name) => ModelPresets.Find(Rows, name);
}
