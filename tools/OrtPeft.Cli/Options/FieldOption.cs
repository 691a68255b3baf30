using System.CommandLine;
using System.Text.Json.Nodes;
using OrtPeft.Adapters;

namespace OrtPeft.Cli.Options;

/// <summary>An option that stands for a field of a configuration.</summary>
/// <param name="Row">What the methods say of it.</param>
/// <param name="Option">The option.</param>
/// <param name="Value">What is given, as the field's JSON.</param>
internal sealed record FieldOption(MethodOption Row, Option Option, Func<Invocation, JsonNode?> Value)
{
    private static readonly Dictionary<OptionForm, Func<MethodOption, FieldOption>> Forms = new()
    {
        [OptionForm.Text] = static row => Typed(row, static (_, text) => text),
        [OptionForm.Literal] = static row => Typed(row, static (_, text) => FieldText.Literal(text)),
        [OptionForm.Modules] = static row => Typed(row, static (_, text) => FieldText.Targets(text)),
        [OptionForm.NumbersByName] = static row => Typed(row, FieldText.Pattern),
        [OptionForm.WholeNumbers] = static row => Typed(row, FieldText.WholeNumbers),
        [OptionForm.WholeNumber] = static row => Of(
            row, NumberOption.Optional<int>(row.Name, row.Help, row.Placeholder!), static given => given),
        [OptionForm.Number] = static row => Of(
            row, NumberOption.Optional<double>(row.Name, row.Help, row.Placeholder!), static given => given),
        [OptionForm.Flag] = static row => Of(
            row, new Option<bool>(row.Name) { Description = row.Help }, static given => given),
    };

    /// <summary>Makes the option of a row.</summary>
    public static FieldOption Of(MethodOption row) => Forms[row.Form](row);

    private static FieldOption Typed(MethodOption row, Func<string, string, JsonNode?> read) => Of(
        row,
        new Option<string?>(row.Name) { Description = row.Help, HelpName = row.Placeholder },
        text => read(row.Name, text!));

    private static FieldOption Of<T>(MethodOption row, Option<T> option, Func<T?, JsonNode?> read) =>
        new(row, option, run => read(run.Get(option)));
}
