using System.CommandLine;
using System.CommandLine.Parsing;
using System.Numerics;

namespace OrtPeft.Cli.Options;

/// <summary>Options that take numbers, read by <see cref="TypedNumber"/>.</summary>
internal static class NumberOption
{
    /// <summary>An option that is absent unless given.</summary>
    public static Option<T?> Optional<T>(string name, string description, string kind)
        where T : struct, INumber<T> => new(name)
        {
            Description = description,
            HelpName = kind,
            CustomParser = static result => Parse<T>(result),
        };

    /// <summary>An option with a default, and with a least value where no one else checks it.</summary>
    public static Option<T> Of<T>(string name, string description, string kind, T defaultValue, T? least = null)
        where T : struct, INumber<T> => new(name)
        {
            Description = description,
            HelpName = kind,
            CustomParser = result => Parse(result, least) ?? default,
            DefaultValueFactory = _ => defaultValue,
        };

    private static T? Parse<T>(ArgumentResult result, T? least = null)
        where T : struct, INumber<T>
    {
        var text = result.Tokens[^1].Value;
        var isNumber = TypedNumber.TryRead(text, out T number);
        if (isNumber && (least is null || number >= least))
            return number;
        var option = (result.Parent as OptionResult)?.IdentifierToken?.Value;
        var expected = isNumber ? $"{least} or more" : TypedNumber.Expected<T>(text);
        result.AddError($"{option} is '{text}'; it must be {expected}.");
        return null;
    }
}
