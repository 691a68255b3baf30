using OrtPeft.Tensors;

namespace OrtPeft.Artifacts.OrtFormats;

/// <summary>The rules of ONNX Runtime for a checkpoint beyond its form.</summary>
internal static class OrtCheckpointRules
{
    /// <summary>Why a checkpoint cannot have tensors of a type; null where it can.</summary>
    public static string? WhyNot(ElementType type) => type switch
    {
        ElementType.Float or ElementType.Double or ElementType.Bool => null,
        ElementType.Int8 or ElementType.Int16 or ElementType.Int32 or ElementType.Int64 => null,
        ElementType.UInt8 or ElementType.UInt16 or ElementType.UInt32 or ElementType.UInt64 => null,
        ElementType.Float16 or ElementType.BFloat16 =>
            "ONNX Runtime reads no 16-bit floats from checkpoints; keep such frozen weights in the models, and train "
            + "float32 parameters",
        _ => "ONNX Runtime reads only float32, float64, bool and whole numbers of 8 to 64 bits from checkpoints",
    };

    /// <summary>Checks what shall be written.</summary>
    public static void Check(OrtCheckpoint checkpoint, string path)
    {
        var parameters = checkpoint.Trainable.Concat(checkpoint.Frozen).ToArray();
        var states = checkpoint.OptimizerGroups.SelectMany(static g => g.States).ToArray();
        foreach (var tensor in parameters.Concat(states.SelectMany(static s => s.Momentums)))
        {
            if (WhyNot(tensor.Type) is { } reason)
                throw Refused(path, $"'{tensor.Name}' is {tensor.Type}: {reason}");
        }

        if (!checkpoint.IsNominal && parameters.FirstOrDefault(static t => t.Data is AbsentTensorData) is { } absent)
            throw Refused(path, $"'{absent.Name}' has no values; give it some, or save as nominal");
        CheckNames(path, "parameter", parameters.Select(static t => t.Name));
        CheckNames(path, "optimizer group", checkpoint.OptimizerGroups.Select(static g => g.Name));
        CheckNames(path, "property", checkpoint.Properties.Names);
        foreach (var group in checkpoint.OptimizerGroups)
            CheckNames(path, $"state of '{group.Name}'", group.States.Select(static s => s.ParameterName));
        foreach (var state in states)
            CheckNames(path, $"momentum of '{state.ParameterName}'", state.Momentums.Select(static t => t.Name));
    }

    private static void CheckNames(string path, string what, IEnumerable<string> names)
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        foreach (var name in names)
        {
            if (string.IsNullOrEmpty(name))
                throw Refused(path, $"a {what} has no name");
            if (!found.Add(name))
                throw Refused(path, $"there are two of the {what} '{name}'");
        }
    }

    private static ArgumentException Refused(string path, string what) => new($"{path}: {what}.");
}
