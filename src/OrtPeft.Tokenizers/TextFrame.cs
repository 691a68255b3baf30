using System.Collections.Immutable;

namespace OrtPeft.Tokenizers;

/// <summary>The special tokens that a model expects around a text, as a post-processor adds them.</summary>
/// <param name="Before">Ids before a text, such as <c>&lt;s&gt;</c> or <c>[CLS]</c>; often none or one.</param>
/// <param name="After">Ids after it, such as <c>[SEP]</c> or T5's <c>&lt;/s&gt;</c>; often none.</param>
public sealed record TextFrame(ImmutableArray<int> Before, ImmutableArray<int> After)
{
    /// <summary>Nothing around a text.</summary>
    public static TextFrame None { get; } = new([], []);

    /// <summary>The ids of a text in its frame.</summary>
    /// <param name="ids">The ids of a text without special tokens around it.</param>
    public IReadOnlyList<int> Around(IReadOnlyList<int> ids)
    {
        ArgumentNullException.ThrowIfNull(ids);
        return Before.IsEmpty && After.IsEmpty ? ids : [.. Before, .. ids, .. After];
    }

    /// <summary>A frame with another outside it.</summary>
    internal TextFrame Within(TextFrame outer) => new([.. outer.Before, .. Before], [.. After, .. outer.After]);
}
