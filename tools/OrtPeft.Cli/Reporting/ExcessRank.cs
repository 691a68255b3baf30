using OrtPeft.Adapters;

namespace OrtPeft.Cli.Reporting;

/// <summary>Warns of a LoRA whose rank is higher than that of any change its layer can have.</summary>
internal static class ExcessRank
{
    private const string AName = "lora_A";
    private const string BName = "lora_B";

    /// <summary>Writes one line that names the layer where the rank exceeds the width by most, if there is one.</summary>
    public static void Warn(Invocation run, PeftModel peft)
    {
        var shapes = peft.Parameters.ToDictionary(static p => p.Name, static p => p.Value.Initializer!.Dims.ToArray());
        var worst = shapes.Keys.Where(static name => name.Contains(BName, StringComparison.Ordinal))
            .Select(name => (Name: name, Width: WidthOf(name), Rank: shapes[name][^1]))
            .Where(static layer => layer.Rank > layer.Width)
            .OrderBy(static layer => layer.Width)
            .FirstOrDefault();
        if (worst.Name is null)
            return;
        var module = worst.Name[..worst.Name.IndexOf($".{BName}", StringComparison.Ordinal)];
        run.Warn($"rank {worst.Rank} is above {worst.Width}, the width of {module}: a change of that layer has no higher "
            + $"rank. Give --rank {worst.Width} or less.");

        // Of parts of a fused layer and of other forms there is no such pair, and nothing is said.
        long WidthOf(string name) =>
            shapes.GetValueOrDefault(name.Replace(BName, AName, StringComparison.Ordinal)) is [var rank, var input]
            && shapes[name] is [var output, var same] && same == rank
                ? Math.Min(input, output)
                : long.MaxValue;
    }
}
