using System.CommandLine;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Words;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace OrtPeft.Cli.Config;

/// <summary>
/// A run in a file of YAML, or of JSON: each option has a key of its name, without the dashes. What the command line says
/// itself wins.
/// </summary>
internal static class RunFile
{
    /// <summary>The option that names the file.</summary>
    public const string Option = "--config";

    /// <summary>The file that a run leaves beside its adapter.</summary>
    public const string FileName = "run.yaml";

    private const long LargestFile = 1 << 20;

    /// <summary>Adds the file's options to a command line.</summary>
    /// <param name="path">The file.</param>
    /// <param name="words">The command line, the verb first.</param>
    /// <param name="verb">The verb.</param>
    /// <param name="given">The command line as parsed by itself.</param>
    /// <exception cref="UsageException">The file is missing or malformed, or has a key that is not an option.</exception>
    public static IReadOnlyList<string> Fill(string path, IReadOnlyList<string> words, Command verb, ParseResult given)
    {
        var (before, after) = (new List<string>(), new List<string>());
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (node, value) in Read($"{Option} ", path).Children)
        {
            var place = $"{path}:{node.Start.Line}";
            var key = Text(node, place);
            var named = verb.Arguments.Where(a => string.Equals(a.Name, key, StringComparison.OrdinalIgnoreCase));
            if (named.FirstOrDefault() is { } argument)
            {
                if (given.GetResult(argument) is not { Tokens.Count: > 0 })
                    before.Add(Text(value, $"{place}: {key}"));
                continue;
            }

            var option = Find(verb, key, place);
            if (!seen.Add(option.Name))
                throw new UsageException($"{place}: {key} and another key both are {option.Name}; give one of them.");
            if (given.GetResult(option) is not { Implicit: false })
                after.AddRange(WordsOf(option, value, $"{place}: {key}"));
        }

        return [words[0], .. before, .. words.Skip(1), .. after];
    }

    /// <summary>The option that a key is.</summary>
    /// <exception cref="UsageException">It is none; the message has the nearest.</exception>
    public static Option Find(Command verb, string key, string place)
    {
        Option[] options = [.. RunKeys.Of(verb)];
        var name = HfNames.Dashed(key);
        if (options.FirstOrDefault(o => o.Name == name || o.Aliases.Contains(name)) is { } option)
            return option;
        var guess = Suggestion.Nearest(name, options.SelectMany(static o => o.Aliases.Append(o.Name))) is { } near
            ? $"; did you mean {near[2..]}?"
            : ".";
        throw new UsageException($"{place}: there is no key '{key}'{guess} See ortpeft {verb.Name} {StartingFile.Option}.");
    }

    private static IEnumerable<string> WordsOf(Option option, YamlNode value, string place)
    {
        if (RunKeys.IsFlag(option))
        {
            return Text(value, place) switch
            {
                "true" => [option.Name],
                "false" => [],
                var other => throw new UsageException($"{place} is '{other}'; it must be true or false."),
            };
        }

        string[] values = value switch
        {
            YamlScalarNode { Value: null or "" or "~" or "null", Style: ScalarStyle.Plain } => [],
            YamlSequenceNode list => [.. list.Children.Select(v => Text(v, place))],
            YamlMappingNode pairs => [.. pairs.Children.Select(p => $"{Text(p.Key, place)}={Text(p.Value, place)}")],
            _ => [Text(value, place)],
        };
        if (values.Length > 1 && !RunKeys.IsList(option))
            values = [string.Join(',', values)];
        return values.Select(v => $"{option.Name}={v}");
    }

    /// <summary>A single value as text.</summary>
    /// <exception cref="UsageException">It is a list or a mapping.</exception>
    public static string Text(YamlNode node, string place) => node is YamlScalarNode { Value: { } text }
        ? text
        : throw new UsageException($"{place}: a list or mapping stands where a single value belongs.");

    /// <summary>Reads a file of keys and values.</summary>
    /// <param name="what">What stands before its path in messages.</param>
    /// <param name="path">The file.</param>
    /// <exception cref="UsageException">It is missing, or not such a file.</exception>
    public static YamlMappingNode Read(string what, string path)
    {
        if (!File.Exists(path))
            throw new UsageException($"{what}{path} does not exist; check the path.");
        if (new FileInfo(path).Length > LargestFile)
            throw new UsageException($"{what}{path} is larger than 1 MiB, so it is not a run's file.");
        try
        {
            var yaml = new YamlStream();
            using var reader = File.OpenText(path);
            yaml.Load(reader);
            return yaml.Documents is [{ RootNode: YamlMappingNode keys }]
                ? keys
                : throw new UsageException($"{path}: it must hold one mapping of keys to values.");
        }
        catch (YamlException e)
        {
            var reason = (e.InnerException ?? e).Message.ReplaceLineEndings(" ");
            throw new UsageException($"{path}:{e.Start.Line}:{e.Start.Column}: {reason.TrimEnd('.')}; mend the file.");
        }
    }
}
