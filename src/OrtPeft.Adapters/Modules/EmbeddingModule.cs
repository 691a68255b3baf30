using OrtPeft.Onnx;

namespace OrtPeft.Adapters.Modules;

/// <summary>An embedding found in a graph: rows of a constant matrix, picked by token or position.</summary>
/// <param name="Name">The layer's path in the source model, such as <c>transformer.wte</c>.</param>
/// <param name="Node">The <c>Gather</c> that picks.</param>
/// <param name="Weight">The matrix as stored, [entries, features] or its transpose.</param>
internal sealed record EmbeddingModule(string Name, Node Node, Value Weight)
{
    /// <summary>The adapter of the embedding that the graph has already.</summary>
    public PresentAdapter Adapter { get; init; }

    /// <summary>
    /// Whether the matrix is stored [features, entries], as that of a tied head often is, and turned before rows are
    /// picked.
    /// </summary>
    public bool IsTransposed => Node.Inputs[0] != Weight;

    /// <summary>The node that reads the stored matrix: the one that picks, or the one that turns it.</summary>
    public Node Reader => IsTransposed ? Node.Inputs[0]!.Producer! : Node;

    /// <summary>The number of rows: tokens of the vocabulary, or positions.</summary>
    public long Entries => Weight.Initializer!.Dims[IsTransposed ? 1 : 0];

    /// <summary>The number of features of a row.</summary>
    public long Features => Weight.Initializer!.Dims[IsTransposed ? 0 : 1];
}
