using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Decoders;

/// <summary>A decoder's inputs that stand for the tokens before: caches of keys and values, and states of a fixed
/// size.</summary>
internal static class CacheInputs
{
    private static readonly string[] Prefixes = [$"{DecoderNames.Past}.", $"{DecoderNames.Past}_", "past_"];

    private static readonly string[] Forms = ["Split", "Gather", "Cast", "Squeeze", "Transpose", "Identity"];

    /// <summary>Whether an input carries cached keys or values.</summary>
    /// <param name="input">A graph input.</param>
    /// <returns>True for floating-point inputs of four or five axes that are named as caches are.</returns>
    public static bool IsPast(Value input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return input.Type.IsFloating() && input.Shape is { Rank: 4 or 5 }
            && Prefixes.Any(p => input.Name.StartsWith(p, StringComparison.Ordinal));
    }

    /// <summary>
    /// Whether an input carries a state of a fixed size, which begins as zeros: a cache whose slots are written in
    /// place, or what a convolution or a recurrence keeps. A cache to which new keys are appended grows, whatever
    /// length
    /// a file states.
    /// </summary>
    /// <param name="input">A graph input.</param>
    /// <returns>True where its name begins as a past's, and all axes but one, the batch, are numbers.</returns>
    public static bool IsState(Value input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var isNamed = input is { IsGraphInput: true, Initializer: null, Shape.Rank: >= 2 } && input.Type.IsFloating()
            && input.Name.StartsWith("past", StringComparison.Ordinal);
        if (!isNamed || input.Shape!.Count(static d => d.Value is null) > 1)
            return false;
        return input.Shape!.Rank < 4 || (input.Shape[input.Shape.Rank - 2].Value > 0
            && input.Uses.All(static u => u.Node.Domain.Length == 0 && !IsGrowth(u)));
    }

    /// <summary>Whether new keys are appended to what is read, directly or after a change of form.</summary>
    private static bool IsGrowth(Use use) => use.Node.Is("Concat")
        || (Forms.Contains(use.Node.OpType) && use.Node.Outputs.Any(static o => o.Uses.Any(IsGrowth)));
}
