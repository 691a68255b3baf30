using System.Text.Json;
using OrtPeft.Testing;
using OrtPeft.Training.Tests.Runs;

namespace OrtPeft.WebGpu.Tests;

/// <summary>Where ONNX Runtime ran each node of a training graph, by its own profile.</summary>
[Collection("device")]
public sealed class PlacementTests
{
    /// <summary>More elements than any list of axes or table of the tiny model has, and fewer than a row's activations.</summary>
    private const long Small = 64;

    /// <summary>What runs on the CPU, and why that is all right.</summary>
    private static readonly Dictionary<string, string> _accepted = new()
    {
    };

    [DeviceFact]
    public void Train_WithDropout_RunsWhatIsLargeOnTheDevice()
    {
        using var folder = new TemporaryFolder();
        var arguments = Tiny.Arguments with
        {
            MaxSteps = 1,
            Runtime = Tiny.Arguments.Runtime with
            {
                Provider = "webgpu",
                ProfilePrefix = Path.Combine(folder.Path, "profile"),
            },
        };

        Tiny.Run(Tiny.Lora(dropout: 0.25), arguments);

        var nodes = Directory.GetFiles(folder.Path, "profile*.json").SelectMany(NodesOf).ToArray();
        var onDevice = nodes.Count(static n => n.Provider == "WebGpuExecutionProvider");
        var strays = nodes.Where(static n => n.Provider == "CPUExecutionProvider" && n.Elements > Small)
            .Select(static n => n.Operator).ToHashSet();
        Assert.True(onDevice > 300, $"{onDevice} nodes ran on the device.");
        Assert.Equal(_accepted.Keys.Order(), strays.Order());
    }

    /// <summary>The nodes of float32 that a profile names, with the elements of the largest tensor that each reads or makes.</summary>
    private static IEnumerable<(string Operator, string Provider, long Elements)> NodesOf(string path)
    {
        using var profile = JsonDocument.Parse(File.ReadAllBytes(path));
        foreach (var item in profile.RootElement.EnumerateArray().Select(static e => e.Clone()).ToArray())
        {
            if (!item.TryGetProperty("args", out var args) || !args.TryGetProperty("provider", out var provider))
                continue;
            var tensors = args.GetProperty("input_type_shape").EnumerateArray()
                .Concat(args.GetProperty("output_type_shape").EnumerateArray())
                .SelectMany(static t => t.EnumerateObject())
                .Where(static t => t.Name == "float")
                .Select(static t => t.Value.EnumerateArray().Aggregate(1L, static (n, d) => n * d.GetInt64()));
            yield return (args.GetProperty("op_name").GetString()!, provider.GetString()!, tensors.DefaultIfEmpty(0).Max());
        }
    }
}
