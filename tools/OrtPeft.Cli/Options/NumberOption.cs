using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;

namespace OrtPeft.Cli.Options;

/// <summary>Options that take numbers, written with a decimal point in every culture.</summary>
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

    /// <summary>An option with a default.</summary>
    public static Option<T> Of<T>(string name, string description, string kind, T defaultValue)
        where T : struct, INumber<T> => new(name)
        {
            Description = description,
            HelpName = kind,
            CustomParser = static result => Parse<T>(result) ?? default,
            DefaultValueFactory = _ => defaultValue,
        };

    private static T? Parse<T>(ArgumentResult result)
        where T : struct, INumber<T>
    {
        var text = result.Tokens[^1].Value;
        if (T.TryParse(text, CultureInfo.InvariantCulture, out var number))
            return number;
        var option = (result.Parent as OptionResult)?.Option.Name;
        result.AddError($"{option} is '{text}'; it must be a {(T.IsInteger(T.One / (T.One + T.One)) ? "whole " : "")}number.");
        return null;
    }
}
