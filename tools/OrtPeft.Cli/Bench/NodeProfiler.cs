using System.Text.Json;

namespace OrtPeft.Cli.Bench;

/// <summary>Receives ONNX Runtime's profile in a folder of its own, and sums it up.</summary>
internal sealed class NodeProfiler : IDisposable
{
    private const string KernelSuffix = "_kernel_time";
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ortpeft-profile-");

    /// <summary>More elements than a list of axes or a handful of scalars has, and fewer than a row's activations.</summary>
    public const long Small = 64;

    /// <summary>The beginning of the profile's file name.</summary>
    public string Prefix => Path.Combine(_folder.FullName, "step");

    /// <summary>Reads the profile once its session is closed.</summary>
    /// <param name="steps">How many steps it covers.</param>
    /// <param name="onDevice">Whether the steps ran on another provider than the CPU.</param>
    public StepProfile Read(int steps, bool onDevice)
    {
        var runs = _folder.EnumerateFiles().SelectMany(static f => NodeRuns(f.FullName)).ToArray();
        return new StepProfile(
            Grouped(runs.Select(static r => (r.Operator, r.Microseconds)), steps),
            Grouped(runs.Select(static r => (PartOf(r.Node), r.Microseconds)), steps))
        {
            OnCpu = onDevice
                ? Grouped(runs.Where(static r => r.IsLargeOnCpu).Select(static r => (r.Operator, r.Microseconds)), steps)
                : null,
        };
    }

    public void Dispose() => _folder.Delete(recursive: true);

    /// <summary>
    /// The part of the model that a node is of: its module's path without layer numbers, <c>backward h/attn</c>.
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

    private static List<NodeRun> NodeRuns(string file)
    {
        using var stream = File.OpenRead(file);
        using var json = JsonDocument.Parse(stream);
        var runs = new List<NodeRun>();
        foreach (var entry in json.RootElement.EnumerateArray())
        {
            var name = entry.GetProperty("name").GetString()!;
            if (!name.EndsWith(KernelSuffix, StringComparison.Ordinal))
                continue;
            var args = entry.GetProperty("args");
            runs.Add(new NodeRun(
                name[..^KernelSuffix.Length],
                args.GetProperty("op_name").GetString()!,
                entry.GetProperty("dur").GetDouble(),
                args.TryGetProperty("provider", out var provider) && provider.GetString() == "CPUExecutionProvider"
                    && LargestOf(args) > Small));
        }

        return runs;
    }

    /// <summary>The elements of the largest floating-point tensor that a node reads or makes.</summary>
    private static long LargestOf(JsonElement args) => new[] { "input_type_shape", "output_type_shape" }
        .SelectMany(side => args.TryGetProperty(side, out var tensors) ? tensors.EnumerateArray() : default)
        .SelectMany(static tensor => tensor.EnumerateObject())
        .Where(static tensor => tensor.Name is "float" or "float16" or "bfloat16" or "double")
        .Select(static tensor => tensor.Value.EnumerateArray().Aggregate(1L, static (n, dim) => n * dim.GetInt64()))
        .DefaultIfEmpty(0).Max();

    private static IReadOnlyList<ProfileEntry> Grouped(IEnumerable<(string Name, double Time)> runs, int steps)
    {
        var groups = runs.GroupBy(static r => r.Name)
            .Select(static g => (g.Key, Time: g.Sum(static r => r.Time), Count: g.Count()))
            .OrderByDescending(static g => g.Time).ToArray();
        var all = groups.Sum(static g => g.Time);
        return [.. groups.Select(g => new ProfileEntry(g.Key, g.Time / steps / 1e3, g.Time / all, g.Count / steps))];
    }

    private sealed record NodeRun(string Node, string Operator, double Microseconds, bool IsLargeOnCpu);
}
