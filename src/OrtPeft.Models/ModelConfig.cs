using OrtPeft.Models.Checkpoints.Packing;

namespace OrtPeft.Models;

/// <summary>A model's <c>config.json</c>, as far as every family has it. Immutable.</summary>
public abstract record ModelConfig
{
    /// <summary>The family, as <c>model_type</c> names it.</summary>
    public abstract string ModelType { get; }

    /// <summary>How many token ids there are; the last axis of the logits.</summary>
    public abstract int VocabularySize { get; }

    /// <summary>The longest sequence in tokens, past included.</summary>
    public abstract int MaxPositions { get; }

    /// <summary>The token that starts a text, or null when the file names none.</summary>
    public int? BosTokenId { get; init; }

    /// <summary>
    /// The token that ends a text (the first when the file lists several), or null when it names none.
    /// </summary>
    public int? EosTokenId { get; init; }

    /// <summary>Whether the output layer uses the token embedding as its weight. Default true.</summary>
    public bool TieWordEmbeddings { get; init; } = true;

    /// <summary>How the checkpoint holds matrices in few bits; null where it holds numbers.</summary>
    internal MatrixReader? Packing { get; init; }

    /// <summary>The weights that a model of this description has, and how its graph is built from them.</summary>
    /// <returns>The architecture.</returns>
    /// <exception cref="ModelConfigException">A field has a value that is not allowed.</exception>
    public abstract Architecture ToArchitecture();

    /// <summary>The description in HF's form.</summary>
    /// <returns>The text of a <c>config.json</c>.</returns>
    public abstract string ToJson();
}
