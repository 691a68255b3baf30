using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace OrtPeft.Cli.Config;

/// <summary>Writes what a run was given, with the defaults that it had beside it in comments.</summary>
internal static partial class RunFileText
{
    /// <summary>A file from which the run repeats.</summary>
    public static string Of(Command verb, ParseResult given)
    {
        var text = new StringBuilder($"# ortpeft {verb.Name} {RunFile.Option} {RunFile.FileName}\n");
        foreach (var argument in verb.Arguments)
            Line(text, argument.Name, given.GetResult(argument)?.Tokens);
        foreach (var option in RunKeys.Of(verb))
        {
            var result = given.GetResult(option);
            if (result is { Implicit: false })
                Line(text, RunKeys.KeyOf(option), RunKeys.IsFlag(option) ? null : result.Tokens);
            else if (DefaultOf(option) is { } value)
                text.Append(CultureInfo.InvariantCulture, $"# {RunKeys.KeyOf(option)}: {Scalar(value)}\n");
        }

        return text.ToString();
    }

    /// <summary>An option's default; null where it has none that is a value.</summary>
    public static string? DefaultOf(Option option) => option.HasDefaultValue && !RunKeys.IsFlag(option)
        && option.GetDefaultValue() is IConvertible value and not ""
            ? Convert.ToString(value, CultureInfo.InvariantCulture)
            : null;

    /// <summary>A value that reads back as the same text.</summary>
    public static string Scalar(string value) => Plain().IsMatch(value)
        ? value
        : $"\"{string.Concat(value.Select(Escaped))}\"";

    /// <summary>A character between double quotes. Surrogates stay: YAML has no escape for one of a pair.</summary>
    private static string Escaped(char c) => c is '"' or '\\' ? $"\\{c}"
        : char.IsControl(c) || c is '\u2028' or '\u2029' or '\uFEFF' ? $"\\u{(int)c:x4}"
        : $"{c}";

    private static void Line(StringBuilder text, string key, IReadOnlyList<Token>? values)
    {
        var value = values switch
        {
            null => "true",
            [var only] => Scalar(only.Value),
            _ => $"[{string.Join(", ", values.Select(static v => Scalar(v.Value)))}]",
        };
        text.Append(CultureInfo.InvariantCulture, $"{key.ToLowerInvariant()}: {value}\n");
    }

    [GeneratedRegex(@"^(?!(?:true|false|null|yes|no|on|off)$)[\w./\\+][\w./\\+@=-]*$", RegexOptions.IgnoreCase)]
    private static partial Regex Plain();
}
