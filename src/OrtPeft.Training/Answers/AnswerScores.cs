using System.Text.Json;

namespace OrtPeft.Training.Answers;

/// <summary>Scores of an answer's text, 0 to 1.</summary>
public static class AnswerScores
{
    /// <summary>Longer texts are compared by as many words; a table of so many squared still fits.</summary>
    private const int MostWords = 20_000;

    /// <summary>Whether two texts are the same but for white space around them.</summary>
    /// <param name="expected">The expected one.</param>
    /// <param name="answer">The answer.</param>
    /// <returns>1 or 0.</returns>
    public static double ExactMatch(string expected, string answer)
    {
        ArgumentNullException.ThrowIfNull(expected);
        ArgumentNullException.ThrowIfNull(answer);
        return expected.AsSpan().Trim().SequenceEqual(answer.AsSpan().Trim()) ? 1 : 0;
    }

    /// <summary>
    /// ROUGE-L: the F-measure of the longest common subsequence of words, as Google's <c>rouge_score</c> has it without
    /// stemming: words in lower case, of letters and digits. Other than there, letters of all scripts count, and a
    /// character of a script without spaces is a word.
    /// </summary>
    /// <param name="expected">The expected text.</param>
    /// <param name="answer">The answer.</param>
    /// <returns>0 to 1; 0 where either has no word.</returns>
    /// <seealso href="https://aclanthology.org/W04-1013/">Lin, ROUGE, section 3.</seealso>
    public static double RougeL(string expected, string answer)
    {
        ArgumentNullException.ThrowIfNull(expected);
        ArgumentNullException.ThrowIfNull(answer);
        var (target, prediction) = (Words(expected), Words(answer));
        if (target.Count == 0 || prediction.Count == 0)
            return 0;
        var common = (double)LongestCommonSubsequence(target, prediction);
        var (precision, recall) = (common / prediction.Count, common / target.Count);
        return common == 0 ? 0 : 2 * precision * recall / (precision + recall);
    }

    /// <summary>Whether a text is one JSON value, white space around it left out.</summary>
    /// <param name="answer">The text.</param>
    /// <returns>1 or 0.</returns>
    public static double JsonValid(string answer)
    {
        ArgumentNullException.ThrowIfNull(answer);
        try
        {
            using var json = JsonDocument.Parse(answer);
            return 1;
        }
        catch (JsonException)
        {
            return 0;
        }
    }

    private static List<string> Words(string text)
    {
        var words = new List<string>();
        var start = -1;
        for (var i = 0; i <= text.Length && words.Count < MostWords; i++)
        {
            var isWord = i < text.Length && (char.IsLetterOrDigit(text[i]) || char.IsSurrogate(text[i]));
            var isAlone = isWord && IsAlone(text[i]);
            if (start >= 0 && (!isWord || isAlone))
            {
                words.Add(text[start..i].ToLowerInvariant());
                start = -1;
            }

            if (isAlone)
                words.Add(text[i].ToString());
            else if (isWord && start < 0)
                start = i;
        }

        return words;
    }

    /// <summary>Characters of scripts that put no spaces between words: Chinese and Japanese ones, and Thai.</summary>
    private static bool IsAlone(char c) =>
        c is (>= '\u3040' and <= '\u30ff') or (>= '\u3400' and <= '\u9fff') or (>= '\uf900' and <= '\ufaff')
            or (>= '\u0e00' and <= '\u0e7f');

    private static int LongestCommonSubsequence(List<string> one, List<string> other)
    {
        var (before, row) = (new int[other.Count + 1], new int[other.Count + 1]);
        foreach (var word in one)
        {
            for (var j = 0; j < other.Count; j++)
                row[j + 1] = word == other[j] ? before[j] + 1 : Math.Max(before[j + 1], row[j]);
            (before, row) = (row, before);
        }

        return before[^1];
    }
}
