using System.Text;
using OrtPeft.Tokenizers;

namespace OrtPeft.Training.Data;

/// <summary>Token ids of a row as text, also those that only the model knows.</summary>
internal static class ReadableTokens
{
    /// <summary>The text; an id that the tokenizer lacks, as rows of <c>input_ids</c> may have them, is
    /// <c>[id]</c>.</summary>
    public static string Of(ITokenizer tokenizer, IReadOnlyList<int> ids)
    {
        var text = new StringBuilder();
        for (int start = 0, end; start < ids.Count; start = end)
        {
            for (end = start; end < ids.Count && IsKnown(ids[end]);)
                end++;
            if (end > start)
                text.Append(tokenizer.Decode(ids.Skip(start).Take(end - start)));
            else
                text.Append('[').Append(ids[end++]).Append(']');
        }

        return text.ToString();

        bool IsKnown(int id) => id >= 0 && id < tokenizer.VocabularySize;
    }
}
