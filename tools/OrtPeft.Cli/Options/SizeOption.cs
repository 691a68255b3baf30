using System.CommandLine;
using System.Globalization;

namespace OrtPeft.Cli.Options;

/// <summary>Options that take a size in memory: a number and a unit.</summary>
internal static class SizeOption
{
    private static readonly (string Unit, long Bytes)[] Units =
    [
        ("KIB", 1L << 10), ("MIB", 1L << 20), ("GIB", 1L << 30), ("TIB", 1L << 40),
        ("KB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000),
    ];

    /// <summary>An option that is absent unless given. Bytes; GB are powers of 1000, GiB of 1024.</summary>
    public static Option<long?> Of(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "SIZE",
        CustomParser = result =>
        {
            var text = result.Tokens[^1].Value;
            if (Read(text) is { } bytes)
                return bytes;
            result.AddError($"{name} is '{text}'; it must be a number above 0 with a unit, such as 1500MB or 4GB.");
            return null;
        },
    };

    /// <summary>Reads a size; null for what is none.</summary>
    internal static long? Read(string text)
    {
        var upper = text.Trim().ToUpperInvariant();
        var (unit, bytes) = Units.FirstOrDefault(u => upper.EndsWith(u.Unit, StringComparison.Ordinal));
        return unit is not null && double.TryParse(
                upper.AsSpan(0, upper.Length - unit.Length),
                NumberStyles.AllowDecimalPoint | NumberStyles.AllowTrailingWhite,
                CultureInfo.InvariantCulture,
                out var number)
            && number * bytes is >= 1 and < long.MaxValue
                ? (long)(number * bytes)
                : null;
    }
}
