using OrtPeft.Models.Building;

namespace OrtPeft.Models.Opt;

/// <summary>The parts of OPT.</summary>
internal static class OptDecoder
{
    private const string Root = "model";
    private const string Decoder = $"{Root}.decoder";

    public static DecoderPlan PlanOf(OptConfig config) => new()
    {
        Config = config,
        Root = Root,
        Embedding = $"{Decoder}.embed_tokens",
        EmbeddingWidth = config.EmbeddingWidth,
        Deviation = config.Deviation,
        Heads = new HeadForm(config.Heads, config.Heads, config.HeadSize),
        Embedded = Embedded(config),
        Blocks = [.. Enumerable.Range(0, config.Layers).Select(i => new OptBlock(config, $"{Decoder}.layers.{i}", i))],
        Last = Last(config),
        IsBuffer = static _ => false,
    };

    private static Chain Embedded(OptConfig config)
    {
        const int Offset = 2; // the first rows of HF's table are of padding
        var places = new LearnedPositions(
            $"{Decoder}.embed_positions", config.Positions, config.HiddenSize, Offset, config.Deviation);
        return config.EmbeddingWidth == config.HiddenSize
            ? new(places)
            : new(Projection(config, "project_in", config.EmbeddingWidth, config.HiddenSize), places);
    }

    private static Chain Last(OptConfig config)
    {
        var parts = new List<IModule>();
        if (config is { NormsBefore: true, LacksLastNorm: false })
            parts.Add(OptBlock.Norm(config, $"{Decoder}.final_layer_norm"));
        if (config.EmbeddingWidth != config.HiddenSize)
            parts.Add(Projection(config, "project_out", config.HiddenSize, config.EmbeddingWidth));
        return new([.. parts]);
    }

    private static DenseModule Projection(OptConfig config, string part, int from, int to) =>
        new($"{Decoder}.{part}", from, to, HasBias: false, config.Deviation);
}
