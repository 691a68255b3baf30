namespace OrtPeft.Tokenizers;

/// <summary>How a model expects a text to begin.</summary>
public static class TextStart
{
    /// <summary>Puts the token that starts a text before its ids, where the tokenizer names one and it is not there
    /// yet.</summary>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="ids">The ids of a text from its beginning.</param>
    /// <returns>The ids as a model is trained on them.</returns>
    public static IReadOnlyList<int> WithStart(this ITokenizer tokenizer, IReadOnlyList<int> ids)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentNullException.ThrowIfNull(ids);
        return tokenizer.BeginOfTextId is { } begin && (ids.Count == 0 || ids[0] != begin) ? [begin, .. ids] : ids;
    }
}
