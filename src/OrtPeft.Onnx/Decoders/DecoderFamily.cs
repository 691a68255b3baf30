using System.Collections.Immutable;

namespace OrtPeft.Onnx.Decoders;

/// <summary>
/// How a family of decoders calls its modules, in HF's names. A method or pass that asks for a layer by its name asks
/// here: a new family is a row in <see cref="DecoderFamilies"/>.
/// </summary>
internal sealed record DecoderFamily
{
    /// <summary>The path that the layers' numbers follow: <c>transformer.h</c>.</summary>
    public required string Layers { get; init; }

    /// <summary>Whether names tell the family where a file drops the path before <see cref="Container"/>:
    /// <c>h.0</c> does, <c>layers.0</c> does not.</summary>
    public bool IsClearWithoutRoot { get; init; }

    /// <summary>The linear layer that makes queries, in its block; may make keys and values too.</summary>
    public required string Query { get; init; }

    /// <summary>The linear layer that makes keys, in its block.</summary>
    public required string Key { get; init; }

    /// <summary>The linear layer that makes values, in its block.</summary>
    public required string Value { get; init; }

    /// <summary>The linear layer that ends attention, in its block.</summary>
    public required string AttentionOutput { get; init; }

    /// <summary>The linear layers that read what enters the MLP, in their block.</summary>
    public required ImmutableArray<string> MlpInputs { get; init; }

    /// <summary>The linear layer that ends the MLP, in its block.</summary>
    public required string MlpOutput { get; init; }

    /// <summary>The normalisation that queries, keys and values read, in its block; null where it differs between the
    /// family's models.</summary>
    public string? AttentionNorm { get; init; }

    /// <summary>The normalisation that the MLP reads, in its block; null where it differs between the family's
    /// models.</summary>
    public string? MlpNorm { get; init; }

    /// <summary>The normalisation that the head reads, from the root; null where it differs between the family's
    /// models.</summary>
    public string? FinalNorm { get; init; }

    /// <summary>The table of tokens, from the root.</summary>
    public required string TokenEmbedding { get; init; }

    /// <summary>The table with a row for each position, from the root; null where there is none or its rows are not
    /// the positions.</summary>
    public string? PositionEmbedding { get; init; }

    /// <summary>The head, from the root.</summary>
    public string Head { get; init; } = DecoderFamilies.Head;

    /// <summary>The name of the table of tokens in other libraries' files, or null.</summary>
    public string? OtherTokenEmbedding { get; init; }

    /// <summary>The name of the head in other libraries' files, or null.</summary>
    public string? OtherHead { get; init; }

    /// <summary>
    /// The layers that HF PEFT's IA³ scales by default, as endings; the last one reads the MLP's inner features. Empty
    /// where it has no default.
    /// </summary>
    public ImmutableArray<string> ScaledByIa3 { get; init; } = [];

    /// <summary>The module that holds the numbered layers: <c>h</c>.</summary>
    public string Container => DecoderFamilies.Last(Layers);

    /// <summary>Where layers and embeddings stand: <c>transformer</c>.</summary>
    public string Root => Layers[..Layers.LastIndexOf('.')];

    /// <summary>The normalisation that a linear layer reads.</summary>
    /// <param name="layer">A layer's name, such as <c>transformer.h.3.attn.c_attn</c>.</param>
    /// <returns>Such as <c>transformer.h.3.ln_1</c>, or null where the family does not tell.</returns>
    public string? NormBefore(string layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        if (!layer.StartsWith(Layers + ".", StringComparison.Ordinal))
            return null;
        var start = Layers.Length + 1;
        var end = layer.IndexOf('.', start) + 1;
        var norm = end == 0 ? null : NormOf(layer[end..]);
        return norm is null ? null : layer[..end] + norm;
    }

    private string? NormOf(string inBlock) =>
        inBlock == Query || inBlock == Key || inBlock == Value ? AttentionNorm
        : MlpInputs.Contains(inBlock) ? MlpNorm
        : null;
}
