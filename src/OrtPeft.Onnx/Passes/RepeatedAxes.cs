using OrtPeft.Onnx.Shapes;

namespace OrtPeft.Onnx.Passes;

/// <summary>
/// Tells rows from tokens where an input's axes have one name for both, <c>[n, n]</c>: names that exporters wrote, or nobody,
/// and no batch has as many rows as tokens.
/// </summary>
internal static class RepeatedAxes
{
    /// <summary>Runs the pass in place: the first axis of every input gets a name of its own.</summary>
    /// <param name="model">The model.</param>
    public static void Run(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var inputs = model.Graph.Inputs.Where(static i => i.Shape is { Rank: > 1 }).ToArray();
        var names = inputs.SelectMany(static i => i.Shape!).Select(static d => d.ToString()).ToHashSet(StringComparer.Ordinal);
        foreach (var repeated in inputs.Where(static i => i.Shape!.Skip(1).Any(d => IsSameName(d, i.Shape![0]))).Select(static i => i.Shape![0]).ToArray())
        {
            var own = "batch";
            while (!names.Add(own))
                own += "_rows";
            foreach (var input in inputs.Where(i => IsSameName(i.Shape![0], repeated)))
                input.Shape = [Dim.Named(own), .. input.Shape!.Skip(1)];
        }
    }

    private static bool IsSameName(Dim axis, Dim other) => axis.Value is null && axis.SurelyEquals(other);
}
