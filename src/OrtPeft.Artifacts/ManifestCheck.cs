using System.Globalization;
using OrtPeft.Onnx;

namespace OrtPeft.Artifacts;

/// <summary>What a manifest must fulfil beyond its form, so that whoever trains with it can rely on it.</summary>
internal static class ManifestCheck
{
    /// <summary>Checks names, places and files.</summary>
    /// <exception cref="OnnxFormatException">Something does not hold; the message names the field.</exception>
    public static void Run(ArtifactManifest manifest, string name)
    {
        if (ListsOf(manifest).Any(static list => list.Contains(null)))
            throw Broken(name, "a list holds null");
        foreach (var file in manifest.AllFiles)
        {
            if (file.Length == 0 || Path.GetFileName(file) != file || file is "." or "..")
                throw Broken(name, $"the file name '{file}' is not that of a file in the folder");
        }

        foreach (var graph in manifest.Graphs)
            CheckNames(graph, name);
        CheckParameters(manifest, name);
        if (manifest.VirtualTokens < 0 || manifest.ReservedPositions < 0)
            throw Broken(name, "virtual_tokens and reserved_positions must be 0 or more");
    }

    private static IEnumerable<IEnumerable<object?>> ListsOf(ArtifactManifest manifest) =>
    [
        manifest.Parameters,
        manifest.Files.ExternalData,
        .. manifest.Graphs.Select(static g => g.Inputs),
        .. manifest.Graphs.Select(static g => g.Outputs),
    ];

    private static void CheckNames(ArtifactGraph graph, string name)
    {
        foreach (var values in new[] { graph.Inputs, graph.Outputs })
        {
            if (values.GroupBy(static v => v.Name).FirstOrDefault(static g => g.Count() > 1) is { Key: var twice })
                throw Broken(name, $"{graph.File} has '{twice}' twice");
        }
    }

    private static void CheckParameters(ArtifactManifest manifest, string name)
    {
        var inputs = manifest.Training.Inputs.Select(static i => i.Name).ToHashSet(StringComparer.Ordinal);
        var known = new HashSet<string>(StringComparer.Ordinal);
        long end = 0;
        foreach (var parameter in manifest.Parameters)
        {
            if (!known.Add(parameter.Name))
                throw Broken(name, $"the parameter '{parameter.Name}' is there twice");
            if (!inputs.Contains(parameter.Input))
                throw Broken(name, $"the input '{parameter.Input}' of '{parameter.Name}' is not the training model's");
            if (Size(parameter) is not { } count)
                throw Broken(name, $"the dims of '{parameter.Name}' are no shape of a tensor");
            if (manifest.FlatLength is not { } length)
                continue;
            if (parameter.Offset is not { } offset || offset < end || offset > length - count)
            {
                throw Broken(name, string.Create(
                    CultureInfo.InvariantCulture,
                    $"'{parameter.Name}' has the offset {parameter.Offset} and {count} elements, which overlaps with "
                    + $"another or leaves the flat_length {length}"));
            }

            end = offset + count;
        }
    }

    /// <summary>The number of elements, or null where there is none that memory could hold.</summary>
    private static long? Size(ArtifactParameter parameter)
    {
        long size = 1;
        foreach (var dim in parameter.Dims)
        {
            if (dim < 0 || (dim > 0 && size > long.MaxValue / 8 / dim))
                return null;
            size *= dim;
        }

        return size;
    }

    private static OnnxFormatException Broken(string name, string what) =>
        new($"{name}: {what}; write the artifacts again.");
}
