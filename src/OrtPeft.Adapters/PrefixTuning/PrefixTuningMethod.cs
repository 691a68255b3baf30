using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.Decoders;
using OrtPeft.Adapters.PromptLearning;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Adapters.PrefixTuning;

/// <summary>
/// Prefix tuning: learned keys and values before those of the input, in every layer. They enter beside the graph's own
/// scores, so that masks, caches and lengths stay as they are; only positions move on by P.
/// </summary>
/// <seealso href="https://arxiv.org/abs/2101.00190">Li and Liang, Prefix-Tuning.</seealso>
internal sealed class PrefixTuningMethod : IPeftMethod
{
    /// <inheritdoc/>
    public MethodDescription Description { get; } = new()
    {
        Name = "prefix-tuning",
        PeftType = "PREFIX_TUNING",
        Title = "prefix tuning",
        Paper = new("https://arxiv.org/abs/2101.00190"),
        Trains = "keys and values of virtual tokens in every attention layer",
        Options = [SharedOptions.VirtualTokens],
        WhyNotMergeable = "keys and values that depend on no input are not what any weight makes",
    };

    /// <inheritdoc/>
    public PeftConfig ReadConfig(ConfigFields fields) => PrefixTuningConfig.FromFields(fields);

    /// <inheritdoc/>
    public Injection Inject(Model model, PeftConfig config, long seed)
    {
        ArgumentNullException.ThrowIfNull(model);
        var given = (PrefixTuningConfig)config;
        given.Validate();
        var g = GraphBuilder.Over(model);
        var layers = AttentionLayer.All(model.Graph);
        var (heads, width) = PrefixHeads.Of(model.Graph, layers);
        var described = (PrefixTuningConfig)given.For(heads * width, heads, layers.Count);
        var resolved = described with { EncoderHiddenSize = given.EncoderHiddenSize ?? described.TokenDim };
        TokenPositions.Shift(g, given.NumVirtualTokens, layers);
        var encoder = new PromptEncoder(g, seed);
        var table = Table(encoder, resolved);
        var parts = PerLayer(g, table, layers.Count, heads, width);
        foreach (var (layer, attention) in layers.Index())
            PrefixAttention.Extend(g, attention, parts[2 * layer], parts[(2 * layer) + 1]);
        (g.Scope, g.Before) = ("", null);
        g.Shapes.Infer(model.Graph);
        return new Injection(resolved, encoder.Parameters)
        {
            ReservedPositions = given.NumVirtualTokens,
            ForSaving = encoder.ForSaving(table),
            Computed = PromptEncoder.Computed(table),
        };
    }

    /// <summary>All keys and values of a virtual token in a row, <c>[P, layers · 2 · heads · width]</c>.</summary>
    private static Value Table(PromptEncoder encoder, PrefixTuningConfig config)
    {
        var (count, dim) = (config.NumVirtualTokens, config.TokenDim!.Value);
        var (columns, isZero) = (config.NumLayers!.Value * 2L * dim, config.InitWeights == "zero");
        if (config.IsFlat || !config.PrefixProjection)
        {
            return encoder.Flat(
                config.IsFlat || isZero ? InitialWeights.Zeros(count, columns) : encoder.Random(count, columns));
        }

        var embedding = encoder.Embedding("embedding", count, dim);
        var inner = encoder.Linear("transform.0", embedding, config.EncoderHiddenSize!.Value);
        return encoder.Linear("transform.2", encoder.Builder.Op("Tanh", inner), columns, isZero);
    }

    /// <summary>Keys of layer 0, values of layer 0, keys of layer 1, …, each <c>[heads, P, width]</c>.</summary>
    private static IReadOnlyList<Value> PerLayer(GraphBuilder g, Value table, int layers, long heads, long width)
    {
        var count = table.Shape![0].Value!.Value;
        var apart = g.Transpose(g.Reshape(table, count, 2L * layers, heads, width), 1, 2, 0, 3);
        var parts = g.Split(apart, 0, [.. Enumerable.Repeat(1L, 2 * layers)]);
        return [.. parts.Select(part => g.Squeeze(part, 0))];
    }
}
