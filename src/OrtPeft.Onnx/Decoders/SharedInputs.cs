using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Decoders;

/// <summary>
/// Inputs of whole numbers that all rows share, known by their names: the places of the tokens, lengths, and how many of the
/// last logits to compute.
/// </summary>
internal static class SharedInputs
{
    private const string CachePosition = "cache_position";

    /// <summary>0 is all of them.</summary>
    private static readonly string[] CountsOfLogits = ["num_logits_to_keep", "logits_to_keep"];

    private static readonly string[] PastLengths =
        ["past_sequence_length", "past_seq_len", "past_length", "past_len", $"{DecoderNames.Past}_length"];

    private static readonly string[] TotalLengths = ["total_sequence_length", "total_seq_len", "total_length"];

    /// <summary>Whether an input is one of these.</summary>
    /// <param name="input">A graph input.</param>
    /// <returns>True by its name, type and axes.</returns>
    public static bool Contain(Value input) =>
        ArePlaces(input) || IsPastLength(input) || IsTotalLength(input) || IsCountOfLogits(input);

    /// <summary>Whether an input counts the places that the tokens of each row take, <c>[sequence]</c>: in a cache, or as
    /// positions without an axis of rows.</summary>
    /// <param name="input">A graph input.</param>
    /// <returns>True by its name, type and axes.</returns>
    public static bool ArePlaces(Value input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return IsWhole(input) && input.Name switch
        {
            CachePosition => input.Shape is null or { Rank: 1 },
            DecoderNames.Positions => input.Shape is { Rank: 1 },
            _ => false,
        };
    }

    /// <summary>Whether an input is the number of cached tokens, <c>[]</c> or <c>[1]</c>.</summary>
    /// <param name="input">A graph input.</param>
    /// <returns>True by its name, type and axes.</returns>
    public static bool IsPastLength(Value input) => IsLength(input, PastLengths);

    /// <summary>Whether an input is the number of cached and of new tokens together, <c>[]</c> or <c>[1]</c>.</summary>
    /// <param name="input">A graph input.</param>
    /// <returns>True by its name, type and axes.</returns>
    public static bool IsTotalLength(Value input) => IsLength(input, TotalLengths);

    /// <summary>Whether an input is a number that says how many logits to compute, 0 for all.</summary>
    /// <param name="input">A graph input.</param>
    /// <returns>True by its name, type and axes.</returns>
    public static bool IsCountOfLogits(Value input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return IsWhole(input) && CountsOfLogits.Contains(input.Name) && input.Shape is null or { Rank: 0 or 1 };
    }

    private static bool IsLength(Value input, string[] names)
    {
        ArgumentNullException.ThrowIfNull(input);
        return IsWhole(input) && names.Contains(input.Name)
            && (input.Shape is { Rank: 0 } || (input.Shape is { Rank: 1 } one && one[0].Value == 1));
    }

    private static bool IsWhole(Value input) => input.Type is ElementType.Int64 or ElementType.Int32;
}
