using System.Numerics;

namespace OrtPeft.Tokenizers.Chat.Jinja.Values;

/// <summary>The truth of values: zero and empty values count as false.</summary>
internal static class Truth
{
    public static bool Of(object? value) => value switch
    {
        null or Undefined => false,
        bool truth => truth,
        BigInteger whole => !whole.IsZero,
        double number => number != 0,
        _ => Sizes.Count(value) is not 0,
    };
}
