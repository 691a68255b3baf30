namespace OrtPeft.Tokenizers.Training;

/// <summary>A word as it is spelled in the tokens learned so far.</summary>
internal sealed class TrainingWord(int[] symbols, long count)
{
    private int _length = symbols.Length;

    /// <summary>How often the word occurs in the texts.</summary>
    public long Count => count;

    /// <summary>Replaces each occurrence of a pair, left to right, telling which neighbourhoods change.</summary>
    /// <param name="left">First symbol of the pair.</param>
    /// <param name="right">Second symbol of the pair.</param>
    /// <param name="merged">The symbol that takes their place.</param>
    /// <param name="changed">Called with a pair and −1 where it vanished or +1 where it appeared.</param>
    public void Merge(int left, int right, int merged, Action<int, int, int> changed)
    {
        var kept = 0;
        for (var i = 0; i < _length; i++)
        {
            var matches = symbols[i] == left && i + 1 < _length && symbols[i + 1] == right;
            if (!matches)
            {
                symbols[kept++] = symbols[i];
                continue;
            }

            if (kept > 0)
            {
                changed(symbols[kept - 1], left, -1);
                changed(symbols[kept - 1], merged, 1);
            }

            if (i + 2 < _length)
            {
                changed(right, symbols[i + 2], -1);
                changed(merged, symbols[i + 2], 1);
            }

            symbols[kept++] = merged;
            i++;
        }

        _length = kept;
    }
}
