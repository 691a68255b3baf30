using OrtPeft.Inference;

namespace OrtPeft.Serving.Embeddings;

/// <summary>Pools the last hidden states of one text, which come part by part. For one thread at a time.</summary>
/// <param name="pooling">How.</param>
internal sealed class HiddenPool(TextPooling pooling)
{
    private double[] _first = [];
    private double[] _last = [];
    private double[] _largest = [];
    private double[] _sum = [];
    private double[] _weighted = [];
    private int _count;

    /// <summary>The ways of pooling by the names of sentence-transformers, and the flags of its older files, in the order in
    /// which several flags count.</summary>
    /// <seealso href="https://sbert.net/docs/package_reference/sentence_transformer/modules.html#pooling"/>
    public static IReadOnlyList<(string Name, string Flag, Func<HiddenPool, double[]> Of)> Modes { get; } =
    [
        ("cls", "pooling_mode_cls_token", static p => p._first),
        ("max", "pooling_mode_max_tokens", static p => p._largest),
        ("mean", "pooling_mode_mean_tokens", static p => Over(p._sum, p._count)),
        ("mean_sqrt_len_tokens", "pooling_mode_mean_sqrt_len_tokens", static p => Over(p._sum, Math.Sqrt(p._count))),
        ("weightedmean", "pooling_mode_weightedmean_tokens", static p => Over(p._weighted, p._count * (p._count + 1.0) / 2)),
        ("lasttoken", "pooling_mode_lasttoken", static p => p._last),
    ];

    /// <summary>The numbers of a token's state; 0 before the first.</summary>
    public int Width => _sum.Length;

    /// <summary>Takes the states of the next tokens.</summary>
    public void Add(LogitRows states)
    {
        for (var position = 0; position < states.Count; position++)
            Add(states[position]);
    }

    /// <summary>The embedding of the tokens so far.</summary>
    /// <param name="count">How many of its numbers are wanted; null for all.</param>
    /// <exception cref="NotFiniteNumberException">The model gave a number that is not finite.</exception>
    public float[] Result(int? count)
    {
        var pooled = pooling.Modes.SelectMany(name => Modes.First(m => m.Name == name).Of(this)).Take(count ?? int.MaxValue).ToArray();
        const double Least = 1e-12; // as PyTorch's normalize
        var length = pooling.IsNormalized ? Math.Max(Math.Sqrt(pooled.Sum(static v => v * v)), Least) : 1;
        float[] found = [.. Over(pooled, length).Select(static v => (float)v)];
        return found.All(float.IsFinite)
            ? found
            : throw new NotFiniteNumberException("The embedding holds numbers that are not finite.");
    }

    private static double[] Over(double[] numbers, double divisor) => [.. numbers.Select(n => n / divisor)];

    private void Add(ReadOnlySpan<float> state)
    {
        if (_count++ == 0)
        {
            (_sum, _weighted, _last) = (new double[state.Length], new double[state.Length], new double[state.Length]);
            _largest = [.. Enumerable.Repeat(double.NegativeInfinity, state.Length)];
        }

        for (var i = 0; i < state.Length; i++)
        {
            _last[i] = state[i];
            _sum[i] += state[i];
            _weighted[i] += (double)state[i] * _count;
            _largest[i] = Math.Max(_largest[i], state[i]);
        }

        if (_count == 1)
            _first = [.. _last];
    }
}
