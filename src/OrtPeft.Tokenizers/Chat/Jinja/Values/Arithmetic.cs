using System.Numerics;
using OrtPeft.Tokenizers.Chat.Jinja.Library.Formatting;

namespace OrtPeft.Tokenizers.Chat.Jinja.Values;

/// <summary>
/// Python's operators: whole numbers without bound, floats apart, texts and lists that join and repeat.
/// </summary>
internal static class Arithmetic
{
    private const int LargestBits = 1 << 18; // of a whole number; far beyond what can be printed
    private const int LongestRepeat = 1 << 24;

    public static object? Apply(string op, object? left, object? right)
    {
        var formats = op == "%" && left is string;
        if (!formats && (left as Undefined ?? right as Undefined) is { } undefined)
            throw undefined.Error();
        if (left is Markup || right is Markup)
            return OfMarkup(op, left, right);
        if (Whole.TryOf(left, out var a) && Whole.TryOf(right, out var b))
            return OfWhole(op, a, b);
        if (Equality.IsNumber(left) && Equality.IsNumber(right))
            return OfFloats(op, Float(left), Float(right));
        return (op, left, right) switch
        {
            ("+", string x, string y) => Joined(x, y),
            ("+", PyList x, PyList y) => new PyList(x.Items.Concat(y.Items)),
            ("+", PyTuple x, PyTuple y) => new PyTuple(x.Items.Concat(y.Items)),
            ("%", string format, _) => PercentFormat.Apply(format, right),
            ("*", _, _) when Whole.TryOf(right, out var count) => Repeated(left, count, right),
            ("*", _, _) when Whole.TryOf(left, out var count) => Repeated(right, count, left),
            ("+", string, _) => throw NotJoined("str", right),
            ("+", PyList, _) => throw NotJoined("list", right),
            _ => throw Unsupported(op, left, right),
        };
    }

    public static object Sign(string op, object? value)
    {
        if (value is Undefined undefined)
            throw undefined.Error();
        if (value is double number)
            return op == "-" ? -number : number;
        return Whole.TryOf(value, out var whole)
            ? op == "-" ? -whole : whole
            : throw new JinjaException($"bad operand type for unary {op}: '{TypeNames.Of(value)}'");
    }

    public static double Float(object? value) => value is double number ? number : ToFloat(Whole.Of(value));

    public static double ToFloat(BigInteger whole)
    {
        var number = ExactDecimal.Quotient(whole, BigInteger.One);
        return double.IsInfinity(number) ? throw new JinjaException("int too large to convert to float") : number;
    }

    private static object OfWhole(string op, BigInteger left, BigInteger right)
    {
        switch (op)
        {
            case "+":
                return left + right;
            case "-":
                return left - right;
            case "*":
                return Bounded(left.GetBitLength() + right.GetBitLength()) ? left * right : throw TooLarge();
            case "/":
                return Quotient(left, NotZero(right, "division by zero"));
            case "//":
                return FloorQuotient(left, NotZero(right, "integer division or modulo by zero"));
            case "%":
                return left - (FloorQuotient(left, NotZero(right, "integer modulo by zero")) * right);
            case "**" when right.Sign < 0:
                return OfFloats(op, ToFloat(left), ToFloat(right));
            case "**":
                var fits = BigInteger.Abs(left) <= 1 || Bounded(left.GetBitLength() * (double)right);
                return fits ? BigInteger.Pow(left, Exponent(left, right)) : throw TooLarge();
            default:
                throw Unsupported(op, left, right);
        }
    }

    /// <summary>Powers of −1, 0 and 1 depend on whether the exponent is even at most.</summary>
    private static int Exponent(BigInteger left, BigInteger right) =>
        BigInteger.Abs(left) <= 1 && right > 2 ? 2 + (int)(right % 2) : (int)right;

    private static BigInteger FloorQuotient(BigInteger left, BigInteger right)
    {
        var quotient = BigInteger.DivRem(left, right, out var rest);
        return !rest.IsZero && rest.Sign != right.Sign ? quotient - 1 : quotient;
    }

    /// <summary>The quotient correctly rounded, also where the numbers are beyond what a float holds exactly.</summary>
    private static double Quotient(BigInteger left, BigInteger right)
    {
        const int Exact = 53;
        if (left.GetBitLength() <= Exact && right.GetBitLength() <= Exact)
            return (double)left / (double)right;
        return ExactDecimal.Quotient(left, right);
    }

    private static double OfFloats(string op, double left, double right) => op switch
    {
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        "/" => left / NotZero(right, "float division by zero"),
        "//" => FloorQuotient(left, NotZero(right, "float floor division by zero")),
        "%" => Modulo(left, NotZero(right, "float modulo")),
        "**" => Power(left, right),
        _ => throw Unsupported(op, left, right),
    };

    private static double FloorQuotient(double left, double right)
    {
        var quotient = (left - Modulo(left, right)) / right;
        var floor = Math.Floor(quotient);
        return quotient - floor > 0.5 ? floor + 1 : floor;
    }

    private static double Modulo(double left, double right)
    {
        var rest = left % right;
        if (rest == 0)
            return Math.CopySign(0, right);
        return rest < 0 != right < 0 ? rest + right : rest;
    }

    private static double Power(double left, double right)
    {
        if (left == 0 && right < 0)
            throw new JinjaException("0.0 cannot be raised to a negative power");
        if (left < 0 && double.IsFinite(left) && double.IsFinite(right) && !double.IsInteger(right))
            throw new JinjaException("complex numbers are not supported");
        var power = Math.Pow(left, right);
        var overflows = double.IsInfinity(power) && double.IsFinite(left) && double.IsFinite(right);
        return overflows ? throw new JinjaException("Result too large") : power;
    }

    private static Markup OfMarkup(string op, object? left, object? right)
    {
        if (op == "+" && left is string or Markup && right is string or Markup)
            return new Markup(Joined(Markup.Escape(left).Text, Markup.Escape(right).Text));
        if (op == "*" && left is Markup text && Whole.TryOf(right, out var count))
            return new Markup((string)Repeated(text.Text, count, right));
        throw new JinjaException($"'{op}' with text that is marked safe is not supported");
    }

    private static string Joined(string left, string right) =>
        Bounded(left.Length + (double)right.Length, LongestRepeat) ? left + right : throw TooLarge();

    private static object Repeated(object? value, BigInteger count, object? other)
    {
        var times = (int)BigInteger.Max(0, BigInteger.Min(int.MaxValue, count));
        if (value is string or PyList or PyTuple && !Bounded(Sizes.Of(value) * (double)times, LongestRepeat))
            throw TooLarge();
        return value switch
        {
            string text => string.Concat(Enumerable.Repeat(text, text.Length == 0 ? 0 : times)),
            PyList list => new PyList(Repeat(list.Items, times)),
            PyTuple tuple => new PyTuple(Repeat(tuple.Items, times)),
            _ => throw Unsupported("*", value, other),
        };
    }

    private static IEnumerable<object?> Repeat(List<object?> items, int times) =>
        Enumerable.Repeat(items, items.Count == 0 ? 0 : times).SelectMany(static i => i);

    private static bool Bounded(double size, int limit = LargestBits) => size <= limit;

    private static BigInteger NotZero(BigInteger value, string problem) =>
        value.IsZero ? throw new JinjaException(problem) : value;

    private static double NotZero(double value, string problem) =>
        value == 0 ? throw new JinjaException(problem) : value;

    private static JinjaException NotJoined(string type, object? other) =>
        new($"can only concatenate {type} (not \"{TypeNames.Of(other)}\") to {type}");

    private static JinjaException TooLarge() => new("a value that is too large", JinjaFailure.Limit);

    private static JinjaException Unsupported(string op, object? left, object? right) =>
        new($"unsupported operand type(s) for {op}: '{TypeNames.Of(left)}' and '{TypeNames.Of(right)}'");
}
