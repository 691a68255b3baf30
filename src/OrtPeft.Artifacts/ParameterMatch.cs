using System.Globalization;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Artifacts;

/// <summary>Compares what came back from training with the artifacts' parameters.</summary>
internal static class ParameterMatch
{
    /// <summary>Each parameter's tensor, under its name on disk.</summary>
    /// <param name="found">The tensors that came back.</param>
    /// <param name="manifest">What they must be.</param>
    /// <param name="source">What messages call their file.</param>
    /// <param name="nameOf">A parameter's name in the file.</param>
    /// <exception cref="OnnxFormatException">One is missing, unknown, or of another type or shape.</exception>
    public static IReadOnlyDictionary<string, Tensor> ByName(
        IReadOnlyDictionary<string, Tensor> found,
        ArtifactManifest manifest,
        string source,
        Func<ArtifactParameter, string> nameOf)
    {
        var names = manifest.Parameters.Select(nameOf).ToHashSet(StringComparer.Ordinal);
        if (found.Keys.FirstOrDefault(name => !names.Contains(name)) is { } unknown)
            throw Other(source, $"has '{unknown}', which is not a parameter of the artifacts");
        var matched = new OrderedDictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var parameter in manifest.Parameters)
        {
            if (!found.TryGetValue(nameOf(parameter), out var tensor))
                throw Other(source, $"lacks the parameter '{nameOf(parameter)}'");
            if (tensor.Type != ElementType.Float || !tensor.Dims.SequenceEqual(parameter.Dims))
                throw Other(source, $"has {tensor}, not Float[{string.Join(", ", parameter.Dims)}] as the artifacts");
            matched.Add(parameter.Name, tensor.WithName(parameter.Name));
        }

        return matched;
    }

    /// <summary>Numbers alone: one parameter after the other, or as in the optimizer's flat vector.</summary>
    /// <exception cref="OnnxFormatException">There are no artifacts, or the length is not theirs.</exception>
    public static IReadOnlyDictionary<string, Tensor> ByPlace(MappedFile file, ArtifactManifest? manifest)
    {
        if (manifest is null)
        {
            throw new OnnxFormatException(
                $"{file.Path}: is not a checkpoint of ONNX Runtime and no .safetensors file; for float32 numbers alone, "
                + "give the artifact folder too, which has their order.");
        }

        var count = manifest.Parameters.Sum(static p => p.Count);
        var isFlat = manifest.FlatLength is { } flat && file.Length == flat * sizeof(float);
        if (!isFlat && file.Length != count * sizeof(float))
            throw WrongLength(file, manifest, count);
        var parameters = new OrderedDictionary<string, Tensor>(StringComparer.Ordinal);
        long place = 0;
        foreach (var parameter in manifest.Parameters)
        {
            place = isFlat ? parameter.Offset!.Value : place;
            var data = file.Slice(place * sizeof(float), parameter.Count * sizeof(float));
            parameters.Add(parameter.Name, new Tensor(ElementType.Float, [.. parameter.Dims], data, parameter.Name));
            place += parameter.Count;
        }

        return parameters;
    }

    private static OnnxFormatException WrongLength(MappedFile file, ArtifactManifest manifest, long count)
    {
        var flat = manifest.FlatLength is { } length && length != count
            ? string.Create(CultureInfo.InvariantCulture, $" or {length * sizeof(float)} as a flat vector")
            : "";
        return new OnnxFormatException(string.Create(
            CultureInfo.InvariantCulture,
            $"{file.Path}: is not a checkpoint of ONNX Runtime, and has {file.Length} bytes where the artifacts' "
            + $"parameters take {count * sizeof(float)}{flat}; give what the device saved of these artifacts."));
    }

    private static OnnxFormatException Other(string source, string what) =>
        new($"{source}: {what}; give the artifact folder that it was trained with.");
}
