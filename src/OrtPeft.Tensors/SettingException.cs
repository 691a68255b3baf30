namespace OrtPeft.Tensors;

/// <summary>
/// A setting that cannot be carried out: a value outside its range, or one that does not go with another. What whoever
/// uses a program may choose is refused with this type; other <see cref="ArgumentException"/>s are errors of the
/// calling code.
/// </summary>
public sealed class SettingException : ArgumentException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">The setting, its value, what is allowed, and what to do.</param>
    /// <param name="inner">What led to it.</param>
    public SettingException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    /// <summary>The settings that differ from those of an earlier part of the same work, where that is what is wrong.</summary>
    public IReadOnlyList<SettingDifference> Differences { get; init; } = [];

    /// <summary>Checks a number.</summary>
    /// <param name="value">The number.</param>
    /// <param name="least">The least that is allowed.</param>
    /// <param name="setting">The name of the setting, as <c>BatchSize</c>.</param>
    /// <exception cref="SettingException">It is below.</exception>
    public static void ThrowIfBelow(int value, int least, string setting)
    {
        if (value < least)
            throw new SettingException($"{setting} is {value}; it must be at least {least}.");
    }
}
