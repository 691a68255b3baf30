using System.Globalization;
using System.Numerics;

namespace OrtPeft.Tokenizers.Chat.Jinja.Values;

/// <summary>Python's range, of at most 100,000 numbers as the sandbox has it.</summary>
internal sealed class PyRange
{
    private const int LongestRange = 100_000;

    private readonly BigInteger _start;
    private readonly BigInteger _stop;
    private readonly BigInteger _step;

    public PyRange(BigInteger start, BigInteger stop, BigInteger step)
    {
        if (step.IsZero)
            throw new JinjaException("range() arg 3 must not be zero");
        var distance = step.Sign > 0 ? stop - start : start - stop;
        var count = distance.Sign <= 0 ? 0 : ((distance - 1) / BigInteger.Abs(step)) + 1;
        if (count > LongestRange)
        {
            throw new JinjaException(
                $"Range too big. The sandbox blocks ranges larger than MAX_RANGE ({LongestRange}).");
        }

        (_start, _stop, _step, Count) = (start, stop, step, (int)count);
    }

    public int Count { get; }

    public BigInteger this[int index] => _start + (_step * index);

    public IEnumerable<object?> Items => Enumerable.Range(0, Count).Select(i => (object?)this[i]);

    public string Display => _step.IsOne
        ? string.Create(CultureInfo.InvariantCulture, $"range({_start}, {_stop})")
        : string.Create(CultureInfo.InvariantCulture, $"range({_start}, {_stop}, {_step})");

    /// <summary>The part that a slice of it is, which again is a range.</summary>
    public PyRange Part(int start, int stop, int step) => new(this[start], this[stop], _step * step);
}
