using System.Globalization;
using System.Text.Json;
using OrtPeft.Tensors;

namespace OrtPeft.Artifacts;

/// <summary>The rules for a manifest beyond its form, so that whoever trains with it can rely on it.</summary>
internal static class ManifestCheck
{
    /// <summary>More elements have no number of bytes that can be added to another in 64 bits.</summary>
    private const long MaxElements = long.MaxValue / 32;

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
        if (manifest.Base.VocabularySize < 1 || manifest.Base.ContextLength < 1)
            throw Broken(name, "vocabulary_size and context_length of the base must be 1 or more");
        if (manifest.PeftConfig["peft_type"] is { } type && type.GetValueKind() != JsonValueKind.String)
            throw Broken(name, $"peft_config.peft_type is {type.ToJsonString()}, not a name");
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
        foreach (var parameter in manifest.Parameters)
        {
            if (!known.Add(parameter.Name))
                throw Broken(name, $"the parameter '{parameter.Name}' is there twice");
            if (!inputs.Contains(parameter.Input))
                throw Broken(name, $"the input '{parameter.Input}' of '{parameter.Name}' is not the training model's");
            if (Size(parameter) is null)
                throw Broken(name, $"the dims of '{parameter.Name}' are not a tensor's shape");
        }

        if (manifest.FlatLength is { } length)
            CheckPlaces(manifest.Parameters, length, name);
    }

    /// <summary>
    /// Memory is taken by the stated length and written at the stated places, so both must be what the parameters
    /// take.
    /// </summary>
    private static void CheckPlaces(IReadOnlyList<ArtifactParameter> parameters, long length, string name)
    {
        long end = 0;
        foreach (var parameter in parameters)
        {
            if (parameter.Offset != end)
            {
                throw Broken(name, string.Create(
                    CultureInfo.InvariantCulture,
                    $"'{parameter.Name}' has the offset {parameter.Offset}, where {end} is its place"));
            }

            end = FlatLayout.After(end, parameter.Count);
            if (end > MaxElements)
                throw Broken(name, $"the parameters up to '{parameter.Name}' take more than any memory");
        }

        if (length != end)
        {
            throw Broken(name, string.Create(
                CultureInfo.InvariantCulture, $"flat_length is {length}, where the parameters take {end}"));
        }
    }

    /// <summary>The number of elements, or null where there is none that memory could hold.</summary>
    private static long? Size(ArtifactParameter parameter)
    {
        long size = 1;
        foreach (var dim in parameter.Dims)
        {
            if (dim < 0 || (dim > 0 && size > MaxElements / dim))
                return null;
            size *= dim;
        }

        return size;
    }

    private static OnnxFormatException Broken(string name, string what) =>
        new($"{name}: {what}; write the artifacts again.");
}
