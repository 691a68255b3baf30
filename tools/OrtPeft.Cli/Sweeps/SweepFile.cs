using System.CommandLine;
using System.Globalization;
using OrtPeft.Cli.Config;
using OrtPeft.Cli.Errors;
using YamlDotNet.RepresentationModel;

namespace OrtPeft.Cli.Sweeps;

/// <summary>A run's file with a key <c>sweep</c>, under which keys have the values to try.</summary>
internal sealed class SweepFile
{
    private const string SweepKey = "sweep";

    /// <summary>Options by which runs are compared, which must be the same in all.</summary>
    private static readonly string[] OfComparison = ["--metric", "--eval-data", "--val-split"];

    private SweepFile(string common, IReadOnlyList<SweptKey> keys) => (Common, Keys) = (common, keys);

    /// <summary>The file without what is swept, as YAML.</summary>
    public string Common { get; }

    /// <summary>The swept keys, in the file's order.</summary>
    public IReadOnlyList<SweptKey> Keys { get; }

    /// <summary>Reads the file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="train">The verb whose options the keys are.</param>
    /// <exception cref="UsageException">It is not such a file, or a key is not an option.</exception>
    public static SweepFile Read(string path, Command train)
    {
        var root = RunFile.Read("", path);
        if (!root.Children.TryGetValue(new YamlScalarNode(SweepKey), out var swept)
            || swept is not YamlMappingNode { Children.Count: > 0 } keys)
        {
            throw new UsageException($"{path}: there is no key '{SweepKey}' with keys to try and their values, such as "
                + "lr: [1e-4, 1e-3].");
        }

        List<SweptKey> read = [.. keys.Children.Select(pair => Key(path, train, pair.Key, pair.Value))];
        if (read.GroupBy(static k => k.Key).FirstOrDefault(static g => g.Count() > 1) is { } doubled)
            throw new UsageException($"{path}: {SweepKey} has {doubled.Key} twice; give it once.");
        root.Children.Remove(new YamlScalarNode(SweepKey));
        foreach (var key in root.Children.Keys.Where(k => IsSwept(k, train, path, read)).ToArray())
            root.Children.Remove(key);
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        new YamlStream(new YamlDocument(root)).Save(text, assignAnchors: false);
        return new SweepFile(text.ToString(), read);
    }

    /// <summary>Whether the sweep decides a key that the file gives once: a key that is swept, or the folder, which is
    /// the sweep's to choose.</summary>
    private static bool IsSwept(YamlNode key, Command train, string path, List<SweptKey> swept)
    {
        if (key is not YamlScalarNode { Value: { } name }
            || train.Arguments.Any(a => string.Equals(a.Name, name, StringComparison.OrdinalIgnoreCase)))
            return false;
        var option = RunFile.Find(train, name, $"{path}:{key.Start.Line}").Name;
        return option == "--out" || swept.Any(k => $"--{k.Key}" == option);
    }

    private static SweptKey Key(string path, Command train, YamlNode key, YamlNode value)
    {
        var place = $"{path}:{key.Start.Line}";
        var name = RunFile.Text(key, place);
        var option = RunFile.Find(train, name, place);
        if (option.Name == "--out")
            throw new UsageException($"{place}: {name} is chosen for each run, so it cannot be swept; leave it out.");
        if (OfComparison.Contains(option.Name))
            throw new UsageException($"{place}: runs are compared by {name}, so it cannot be swept; give it once, outside sweep.");
        var own = RunKeys.KeyOf(option);
        return value switch
        {
            YamlSequenceNode { Children.Count: > 0 } list => new(own, [.. list.Children.Select(v => OneOf(v, $"{place}: {name}"))]),
            YamlMappingNode range => Range(own, range, $"{place}: {name}"),
            _ => throw new UsageException($"{place}: {name} must be a list of values, or a mapping with min and max."),
        };
    }

    /// <summary>A value; one of several parts, such as modules, is a list of its own.</summary>
    private static string OneOf(YamlNode value, string place) => value is YamlSequenceNode parts
        ? string.Join(',', parts.Children.Select(p => RunFile.Text(p, place)))
        : RunFile.Text(value, place);

    private static SweptKey Range(string key, YamlMappingNode range, string place)
    {
        var fields = range.Children.ToDictionary(f => RunFile.Text(f.Key, place), f => RunFile.Text(f.Value, place), StringComparer.Ordinal);
        if (fields.Keys.FirstOrDefault(static f => f is not ("min" or "max" or "log")) is { } unknown)
            throw new UsageException($"{place}: a range has min, max and log, not '{unknown}'.");
        var (least, most) = (Number("min"), Number("max"));
        var isLog = fields.GetValueOrDefault("log") is "true";
        if (least >= most)
            throw new UsageException($"{place}: min is not below max.");
        if (isLog && least <= 0)
            throw new UsageException($"{place}: min must be above 0 where log is true.");
        var isWhole = new[] { "min", "max" }.All(f => long.TryParse(fields[f], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _));
        return new(key, []) { Range = (least, most), IsLogarithmic = isLog, IsWhole = isWhole };

        double Number(string field) =>
            double.TryParse(fields.GetValueOrDefault(field), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            && double.IsFinite(number)
                ? number
                : throw new UsageException($"{place}: {field} must be a number, with a decimal point.");
    }
}
