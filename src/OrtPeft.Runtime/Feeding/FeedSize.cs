using OrtPeft.Tensors;

namespace OrtPeft.Runtime.Feeding;

/// <summary>How many numbers an array for a model's input has: axes come from rows, options and files.</summary>
internal static class FeedSize
{
    /// <summary>Multiplies axes.</summary>
    /// <param name="dims">The axes, each 0 or more.</param>
    /// <returns>The product.</returns>
    /// <exception cref="SettingException">It is more than an array can have.</exception>
    public static int Of(params ReadOnlySpan<long> dims)
    {
        Int128 product = 1;
        foreach (var dim in dims)
        {
            product *= dim;
            if (product > Array.MaxLength)
            {
                throw new SettingException(
                    $"An input of [{string.Join(", ", dims.ToArray())}] has more numbers than fit into an array "
                    + $"({Array.MaxLength}); take fewer rows (BatchSize) or shorter ones (SequenceLength).");
            }
        }

        return (int)product;
    }
}
