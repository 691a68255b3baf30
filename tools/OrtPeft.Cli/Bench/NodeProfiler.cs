using System.Text.Json;

namespace OrtPeft.Cli.Bench;

/// <summary>Receives ONNX Runtime's profile in a folder of its own, and sums it up.</summary>
internal sealed class NodeProfiler : IDisposable
{
    private const string KernelSuffix = "_kernel_time";
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ortpeft-profile-");

    /// <summary>The beginning of the profile's file name.</summary>
    public string Prefix => Path.Combine(_folder.FullName, "step");

    /// <summary>Reads the profile once its session is closed.</summary>
    /// <param name="steps">How many steps it covers.</param>
    public StepProfile Read(int steps)
    {
        var runs = _folder.EnumerateFiles().SelectMany(static f => NodeRuns(f.FullName)).ToArray();
        return new StepProfile(
            Grouped(runs.Select(static r => (r.Operator, r.Microseconds)), steps),
            Grouped(runs.Select(static r => (PartOf(r.Node), r.Microseconds)), steps));
    }

    public void Dispose() => _folder.Delete(recursive: true);

    /// <summary>
    /// Which part of the model a node is of: its module's path without layer numbers, <c>backward h/attn</c>.
    /// </summary>
    internal static string PartOf(string node)
    {
        var path = node.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var isBackward = path is ["gradient", ..];
        var modules = path.Skip(isBackward ? 1 : 0).SkipLast(isBackward ? 2 : 1)
            .SelectMany(static s => s.Split('.'))
            .Where(static s => s is not ("transformer" or "model") && !s.All(char.IsAsciiDigit))
            .Take(2);
        var name = string.Join('/', modules);
        return $"{(isBackward ? "backward " : "")}{(name.Length == 0 ? "other" : name)}";
    }

    private static List<(string Node, string Operator, double Microseconds)> NodeRuns(string file)
    {
        using var stream = File.OpenRead(file);
        using var json = JsonDocument.Parse(stream);
        var runs = new List<(string Node, string Operator, double Microseconds)>();
        foreach (var entry in json.RootElement.EnumerateArray())
        {
            var name = entry.GetProperty("name").GetString()!;
            if (!name.EndsWith(KernelSuffix, StringComparison.Ordinal))
                continue;
            var type = entry.GetProperty("args").GetProperty("op_name").GetString()!;
            runs.Add((name[..^KernelSuffix.Length], type, entry.GetProperty("dur").GetDouble()));
        }

        return runs;
    }

    private static IReadOnlyList<ProfileEntry> Grouped(IEnumerable<(string Name, double Time)> runs, int steps)
    {
        var groups = runs.GroupBy(static r => r.Name)
            .Select(static g => (g.Key, Time: g.Sum(static r => r.Time), Count: g.Count()))
            .OrderByDescending(static g => g.Time).ToArray();
        var all = groups.Sum(static g => g.Time);
        return [.. groups.Select(g => new ProfileEntry(g.Key, g.Time / steps / 1e3, g.Time / all, g.Count / steps))];
    }
}
