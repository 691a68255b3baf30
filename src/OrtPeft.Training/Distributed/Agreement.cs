using System.Text;
using System.Text.Json;
using Microsoft.ML.OnnxRuntime;
using OrtPeft.Training.Checkpoints;

namespace OrtPeft.Training.Distributed;

/// <summary>Checks that all processes of a group are about to do the same.</summary>
internal static class Agreement
{
    private const int NameBytes = 64;

    /// <summary>Compares what makes each process's run what it is with the first one's.</summary>
    /// <param name="group">The processes.</param>
    /// <param name="identity">Settings, rows and base, as a checkpoint has them.</param>
    /// <param name="more">What else must be the same.</param>
    /// <exception cref="DistributedException">Some process has something else; each of them throws it.</exception>
    public static void Require(
        ProcessGroup group, IReadOnlyDictionary<string, string> identity, IEnumerable<KeyValuePair<string, string>> more)
    {
        if (group.Size == 1)
            return;
        // Whose kernel multiplies may differ from machine to machine: that is rounding.
        var mine = identity.Where(static s => s.Key != RunIdentity.Products).Concat(more).Append(new("ortpeft", Version))
            .Append(new("onnxruntime", OrtEnv.Instance().GetVersionString()))
            .ToDictionary(static s => s.Key, static s => s.Value, StringComparer.Ordinal);
        var first = JsonSerializer.Deserialize<Dictionary<string, string>>(group.FromFirst(JsonSerializer.Serialize(mine)))!;
        var different = mine.Keys.Union(first.Keys).Order(StringComparer.Ordinal)
            .FirstOrDefault(name => mine.GetValueOrDefault(name) != first.GetValueOrDefault(name)) ?? "";
        Span<byte> name = stackalloc byte[NameBytes];
        name.Clear();
        Encoding.UTF8.GetBytes(different.AsSpan(0, Math.Min(different.Length, NameBytes / 4)), name);
        Span<byte> all = new byte[NameBytes * group.Size];
        group.AllGather(name, all);
        for (var rank = 0; rank < group.Size; rank++)
        {
            var said = Encoding.UTF8.GetString(all.Slice(rank * NameBytes, NameBytes)).TrimEnd('\0');
            if (said.Length > 0)
            {
                throw new DistributedException(
                    $"Rank {rank} has another '{said}' than rank 0; give all processes the same command, rows, base and version.");
            }
        }
    }

    private static string Version => typeof(Agreement).Assembly.GetName().Version?.ToString() ?? "";
}
