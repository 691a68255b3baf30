using System.Numerics;
using OrtPeft.Tokenizers.Chat.Jinja.Runtime;

namespace OrtPeft.Tokenizers.Chat.Jinja.Library;

/// <summary>The attributes of numbers; null where there is no such attribute.</summary>
internal static class NumberAttributes
{
    public static object? OfWhole(BigInteger value, string name) => name switch
    {
        "real" or "numerator" => value,
        "imag" => BigInteger.Zero,
        "denominator" => BigInteger.One,
        "conjugate" => Method(name, value),
        "bit_length" => Method(name, (BigInteger)BigInteger.Abs(value).GetBitLength()),
        "is_integer" => Method(name, true),
        "bit_count" or "as_integer_ratio" or "to_bytes" or "from_bytes" => Unsupported(name),
        _ => null,
    };

    public static object? OfFloat(double value, string name) => name switch
    {
        "real" => value,
        "imag" => 0.0,
        "conjugate" => Method(name, value),
        "is_integer" => Method(name, double.IsInteger(value)),
        "as_integer_ratio" or "hex" or "fromhex" => Unsupported(name),
        _ => null,
    };

    private static Function Method(string name, object result) =>
        new(name, "", $"<built-in method {name}>", _ => result);

    private static Function Unsupported(string name) => new(name, $"<built-in method {name}>", _ =>
        throw new JinjaException($"the method '{name}' is not supported"));
}
