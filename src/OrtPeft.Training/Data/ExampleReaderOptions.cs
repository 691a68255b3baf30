using OrtPeft.Training.Data.Chat;
using OrtPeft.Training.Data.Forms;

namespace OrtPeft.Training.Data;

/// <summary>The limits that rows must fit into. A limit that is left out is not checked.</summary>
public sealed record ExampleReaderOptions
{
    /// <summary>
    /// Rows are cut to this many tokens, 2 or more; labels keep their places, so a long prompt may leave nothing
    /// supervised. Null (the default) cuts nothing.
    /// </summary>
    public int? SequenceLength { get; init; }

    /// <summary>How to handle rows that are longer than <see cref="SequenceLength"/>; by default they are
    /// cut.</summary>
    public OverlongRows Overlong { get; init; }

    /// <summary>How messages become text, and what of them is learned; null (the default) writes them plainly.</summary>
    public ChatFormat? Chat { get; init; }

    /// <summary>
    /// The positions the model has, in tokens; where an adapter puts virtual tokens in front, less those. A row that is
    /// still longer after cutting is an error. Null (the default) when the model does not say.
    /// </summary>
    public int? ContextLength { get; init; }

    /// <summary>
    /// Takes a sentence on each thing that the rows of a file may not mean: fields that are not read, rows that have
    /// nothing to learn. Called at the file's end; null (the default) says nothing.
    /// </summary>
    public Action<string>? Warn { get; init; }

    /// <summary>Takes a sentence on what each file holds: how many rows of which form. Called at the file's end; null (the
    /// default) says nothing.</summary>
    public Action<string>? Note { get; init; }

    /// <summary>
    /// Own names of fields by the name that is read, of <see cref="RowField.All"/>: fields of rows, of turns
    /// (<c>role</c>, <c>content</c>), and roles. Empty by default.
    /// </summary>
    public IReadOnlyDictionary<string, string> Names { get; init; } = new Dictionary<string, string>();

    /// <summary>The model's vocabulary V: ids and labels must lie in 0..V−1. Null (the default) when unknown.</summary>
    public int? VocabularySize { get; init; }
}
