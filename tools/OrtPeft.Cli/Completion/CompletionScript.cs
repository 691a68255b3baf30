using System.CommandLine;

namespace OrtPeft.Cli.Completion;

/// <summary>Scripts for shells to complete commands, options and their fixed values; files complete as usual.</summary>
internal static class CompletionScript
{
    private static readonly Dictionary<string, Func<IReadOnlyList<Command>, string>> Shells = new()
    {
        ["bash"] = Bash,
        ["zsh"] = static verbs => "autoload -U +X bashcompinit && bashcompinit\n" + Bash(verbs),
        ["fish"] = Fish,
        ["pwsh"] = PowerShell,
    };

    /// <summary>The shells that there is a script for.</summary>
    public static IEnumerable<string> Names => Shells.Keys;

    /// <summary>Writes a shell's script.</summary>
    /// <param name="shell">One of <see cref="Names"/>.</param>
    /// <param name="verbs">The verbs with their options.</param>
    public static string Of(string shell, IReadOnlyList<Command> verbs) => Shells[shell](verbs);

    private static string Bash(IReadOnlyList<Command> verbs) => $$"""
        _ortpeft() {
          local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words=
          case ${COMP_WORDS[1]}:$prev in
        {{Lines(verbs.SelectMany(ChoicesOf), static c => $"    {c.Verb}:{c.Option}) words='{c.Values}' ;;")}}
          esac
          if [[ $COMP_CWORD == 1 ]]; then
            words='{{Words(verbs.Select(static v => v.Name))}}'
          elif [[ $cur == -* ]]; then
            case ${COMP_WORDS[1]} in
        {{Lines(verbs, static v => $"      {v.Name}) words='{Words(NamesOf(v))}' ;;")}}
            esac
          fi
          COMPREPLY=()
          [[ -n $words ]] && COMPREPLY=($(compgen -W "$words" -- "$cur"))
        }
        complete -o default -F _ortpeft ortpeft

        """;

    private static string Fish(IReadOnlyList<Command> verbs) =>
        Lines(verbs, static verb => Lines([FishVerb(verb), .. Options(verb).Select(o => FishOption(verb, o))])) + "\n";

    private static string FishVerb(Command verb) =>
        $"complete -c ortpeft -f -n __fish_use_subcommand -a {verb.Name} -d '{Quoted(verb)}'";

    private static string FishOption(Command verb, Option option)
    {
        var values = ValuesOf(option) is { } words ? $" -xa '{words}'"
            : option.ValueType == typeof(bool) ? "" : " -r";
        return $"complete -c ortpeft -n '__fish_seen_subcommand_from {verb.Name}' -l {option.Name[2..]}{values} "
            + $"-d '{Quoted(option)}'";
    }

    private static string PowerShell(IReadOnlyList<Command> verbs) => $$"""
        Register-ArgumentCompleter -Native -CommandName ortpeft -ScriptBlock {
          param($word, $ast, $position)
          $options = @{
        {{Lines(verbs, static v => $"    '{v.Name}' = '{Words(NamesOf(v))}'")}}
          }
          $typed = @($ast.CommandElements | ForEach-Object { $_.ToString() })
          $verb = if ($typed.Count -gt 1) { $typed[1] } else { '' }
          $words = if ($options.ContainsKey($verb)) { $options[$verb] -split ' ' } else { $options.Keys }
          $words | Where-Object { $_ -like "$word*" } | Sort-Object
        }

        """;

    private static IEnumerable<Option> Options(Command verb) => verb.Options.Where(static o => !o.Hidden);

    private static string Lines<T>(IEnumerable<T> rows, Func<T, string> line) => Lines(rows.Select(line));

    private static string Lines(IEnumerable<string> lines) => string.Join('\n', lines);

    private static IEnumerable<string> NamesOf(Command verb) =>
        Options(verb).Select(static o => o.Name).Concat(["--help", "--help-all"]);

    private static IEnumerable<(string Verb, string Option, string Values)> ChoicesOf(Command verb) =>
        from option in verb.Options
        let values = ValuesOf(option)
        where values is not null
        select (verb.Name, option.Name, values);

    /// <summary>The words that an option takes, where its help lists them.</summary>
    private static string? ValuesOf(Option option) =>
        option.HelpName?.Contains('|', StringComparison.Ordinal) == true ? option.HelpName.Replace('|', ' ') : null;

    private static string Words(IEnumerable<string> words) => string.Join(' ', words);

    private static string Quoted(Symbol symbol) =>
        symbol.Description!.Split(". ")[0].Replace("\\", @"\\", StringComparison.Ordinal)
            .Replace("'", @"\'", StringComparison.Ordinal);
}
