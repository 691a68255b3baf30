using System.Numerics;

namespace OrtPeft.Tokenizers.Chat.Jinja.Values;

/// <summary>Python's <c>[start:stop:step]</c>; what is left out or none is the end of the sequence.</summary>
internal readonly record struct Slice(object? Start, object? Stop, object? Step)
{
    public object? Of(object? value)
    {
        switch (value)
        {
            case string text:
                return Text(text);
            case Markup markup:
                return new Markup(Text(markup.Text));
            case PyList list:
                return new PyList(Places(list.Items.Count).Select(place => list.Items[place]));
            case PyTuple tuple:
                return new PyTuple(Places(tuple.Items.Count).Select(place => tuple.Items[place]));
            case PyRange range:
                var (start, stop, step) = Bounds(range.Count);
                return range.Part(start, stop, step);
            case Undefined undefined:
                throw undefined.Error();
            default:
                throw new JinjaException($"'{TypeNames.Of(value)}' object is not subscriptable by a slice");
        }
    }

    private string Text(string text)
    {
        var length = PythonText.Length(text);
        var (start, stop, step) = Bounds(length);
        if (step == 1 && length == text.Length)
            return start < stop ? text[start..stop] : "";
        string[] characters = [.. PythonText.Characters(text).Cast<string>()];
        return string.Concat(Places(length).Select(place => characters[place]));
    }

    private IEnumerable<int> Places(int count)
    {
        var (start, stop, step) = Bounds(count);
        for (long place = start; step > 0 ? place < stop : place > stop; place += step)
            yield return (int)place;
    }

    private (int Start, int Stop, int Step) Bounds(int count)
    {
        var step = Whole(Step) ?? BigInteger.One;
        if (step.IsZero)
            throw new JinjaException("slice step cannot be zero");
        var isForward = step.Sign > 0;
        var (low, high) = isForward ? (0, count) : (-1, count - 1);
        var start = Clamp(Whole(Start), isForward ? low : high);
        var stop = Clamp(Whole(Stop), isForward ? high : low);
        return (start, stop, (int)BigInteger.Max(-int.MaxValue, BigInteger.Min(int.MaxValue, step)));

        int Clamp(BigInteger? bound, int otherwise)
        {
            if (bound is not { } given)
                return otherwise;
            var place = given.Sign < 0 ? given + count : given;
            return (int)BigInteger.Max(low, BigInteger.Min(high, place));
        }
    }

    private static BigInteger? Whole(object? bound)
    {
        if (bound is null)
            return null;
        if (bound is Undefined undefined)
            throw undefined.Error();
        return Values.Whole.TryOf(bound, out var whole)
            ? whole
            : throw new JinjaException("slice indices must be integers or None or have an __index__ method");
    }
}
