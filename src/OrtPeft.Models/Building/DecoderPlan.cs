using System.Collections.Frozen;
using OrtPeft.Models.Rotary;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Models.Building;

/// <summary>
/// A decoder with its language-model head and a key-value cache out of standard operators: embedding, layers, a last
/// norm, a head. Hidden states are <c>[batch · sequence, hidden]</c>. Values that belong to a module are named after
/// it: <c>/model/layers.0/self_attn/q_proj/Gemm</c>.
/// </summary>
internal sealed record DecoderPlan
{
    /// <summary>The description.</summary>
    public required ModelConfig Config { get; init; }

    /// <summary>The module of everything but the head.</summary>
    public required string Root { get; init; }

    /// <summary>The table of tokens.</summary>
    public required string Embedding { get; init; }

    /// <summary>The width of that table and of the head.</summary>
    public required int EmbeddingWidth { get; init; }

    /// <summary>The standard deviation of new tables' values.</summary>
    public required float Deviation { get; init; }

    /// <summary>The heads of attention.</summary>
    public required HeadForm Heads { get; init; }

    /// <summary>The layers.</summary>
    public required IReadOnlyList<IBlock> Blocks { get; init; }

    /// <summary>The module that the last hidden states go through before the head.</summary>
    public required IModule Last { get; init; }

    /// <summary>Whether a tensor, named without the root, is a constant that old versions saved.</summary>
    public required Predicate<string> IsBuffer { get; init; }

    /// <summary>The beginnings of weights' names, and those that the same may have in files; most families have one name
    /// of each.</summary>
    public IReadOnlyList<(string Name, string InFiles)> OldNames { get; init; } = [];

    /// <summary>The head's module.</summary>
    public string Head { get; init; } = "lm_head";

    /// <summary>Whether the head has a bias.</summary>
    public bool HasHeadBias { get; init; }

    /// <summary>The module that the tokens' rows go through before the first layer; null for none.</summary>
    public IModule? Embedded { get; init; }

    /// <summary>How the heads turn; null where they do not.</summary>
    public Rope? Rope { get; init; }

    /// <summary>How those of layers with a window turn, where it is in another way.</summary>
    public Rope? LocalRope { get; init; }

    /// <summary>The step from the head's products to the logits; null where they are the logits.</summary>
    public Func<GraphBuilder, Value, Value>? Finish { get; init; }

    private string TokenWeight => $"{Embedding}.weight";

    private string HeadWeight => $"{Head}.weight";

    private string HeadBias => $"{Head}.bias";

    private IEnumerable<WeightSpec> Weights =>
    [
        Table(TokenWeight),
        .. Embedded?.Weights ?? [],
        .. Blocks.SelectMany(static block => block.Weights),
        .. Last.Weights,
        .. Config.TieWordEmbeddings ? [] : (WeightSpec[])[Table(HeadWeight)],
        .. HasHeadBias ? (WeightSpec[])[new(HeadBias, [Config.VocabularySize])] : [],
    ];

    public Architecture ToArchitecture() => new()
    {
        Config = Config,
        Weights = [.. Weights],
        Prefix = $"{Root}.",
        TiedWeights = Config.TieWordEmbeddings
            ? new Dictionary<string, string> { [HeadWeight] = TokenWeight }.ToFrozenDictionary()
            : FrozenDictionary<string, string>.Empty,
        OldNames = OldNames,
        IsBuffer = IsBuffer,
        BuildGraph = Build,
    };

    private Model Build(IReadOnlyDictionary<string, Tensor> weights)
    {
        var sizes = new DecoderSizes(Blocks.Count, Heads.CacheHeads, Heads.HeadSize, Config.VocabularySize);
        var decoder = new DecoderGraph(Config.ModelType, sizes, weights);
        var g = decoder.Builder;
        decoder.Enter(Embedding);
        var hidden = g.Gather(decoder.Weight(TokenWeight), g.Reshape(decoder.Tokens, -1));
        hidden = Embedded?.Apply(decoder, hidden) ?? hidden;
        var shared = SharedOf(decoder);
        foreach (var block in Blocks)
            hidden = block.Apply(decoder, hidden, shared);
        return decoder.WithHead(
            Last.Apply(decoder, hidden),
            Head,
            Config.TieWordEmbeddings ? TokenWeight : HeadWeight,
            HasHeadBias ? HeadBias : null,
            Finish is null ? null : scores => Finish(g, scores));
    }

    private SharedAttention SharedOf(DecoderGraph decoder)
    {
        decoder.Enter($"{Root}.rotary_emb");
        var all = Rope is null ? null : new RotaryHeads(decoder, Heads, Rope, Config.MaxPositions);
        decoder.Enter($"{Root}.rotary_emb_local");
        var local = LocalRope is null ? all : new RotaryHeads(decoder, Heads, LocalRope, Config.MaxPositions);
        decoder.Enter(Root);
        return new SharedAttention(new GroupedAttention(decoder, Heads, Blocks.Count), all, local);
    }

    private WeightSpec Table(string name) => new(name, [Config.VocabularySize, EmbeddingWidth], 0, Deviation);
}
