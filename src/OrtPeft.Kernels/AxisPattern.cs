using System.Collections.Immutable;

namespace OrtPeft.Kernels;

/// <summary>
/// An operand's axes by names, such as <c>[..., n]</c>: a name has one length in all of a signature, a number is a
/// length, <c>*</c> any one axis, <c>...</c> in front any number of them; <c>[**]</c> leaves everything open.
/// </summary>
public sealed class AxisPattern
{
    private const string Leading = "...";
    private const string Anything = "**";

    private AxisPattern(string text, bool isOpen, bool hasLeading, ImmutableArray<string> names) =>
        (Text, IsOpen, HasLeading, Names) = (text, isOpen, hasLeading, names);

    /// <summary>The pattern as it was written, without brackets.</summary>
    public string Text { get; }

    /// <summary>Whether neither the number of axes nor their lengths are known before a run.</summary>
    public bool IsOpen { get; }

    /// <summary>Whether any number of axes may stand in front.</summary>
    public bool HasLeading { get; }

    /// <summary>The axes after those, in order.</summary>
    public ImmutableArray<string> Names { get; }

    /// <summary>Reads a pattern.</summary>
    /// <param name="text">What stands between the brackets.</param>
    /// <returns>The pattern.</returns>
    public static AxisPattern Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var names = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var hasLeading = names is [Leading, ..];
        return new AxisPattern(text, names is [Anything], hasLeading, [.. names.Skip(hasLeading ? 1 : 0)]);
    }

    /// <inheritdoc/>
    public override string ToString() => $"[{Text}]";
}
