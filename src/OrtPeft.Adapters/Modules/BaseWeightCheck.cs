using OrtPeft.Onnx;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Modules;

/// <summary>Whether a weight of the base in an adapter's file can take the place of the base's own.</summary>
internal static class BaseWeightCheck
{
    /// <summary>A tensor that is to take the place of one of the base's.</summary>
    /// <returns>It, as float32.</returns>
    /// <exception cref="ConfigException">It is not such a one; the message says why and what helps.</exception>
    public static Tensor Checked(
        string name, Tensor tensor, SavedParameter place, Injection injection, string source)
    {
        var what = $"'{name}' is the base's {place.Kind} of {place.Module}";
        if (QuantizedWeight.Find(place.Value) is not null)
            throw ConfigException.At(
                source, $"{what}, which is quantised here; take the base in float, or leave the tensor out of the file.");
        var own = place.Content();
        if (!own.Dims.SequenceEqual(tensor.Dims))
            throw ConfigException.At(
                source, $"{what}, {tensor.Shape} where this base has {own.Shape}; "
                + (Misfit.OfVocabulary(own, tensor) ?? "is it an adapter for another model?"));
        if (!IsRead(name, place, injection))
            throw ConfigException.At(
                source,
                $"{what}, differs from this base's, and is not read by HF PEFT under this name; leave it out of the "
                + "file, or list the module in modules_to_save.");
        return AdapterCheck.InFloat(name, tensor);
    }

    /// <summary>HF PEFT reads a name only if its wrapper stands around the module.</summary>
    private static bool IsRead(string name, SavedParameter place, Injection injection)
    {
        var own = injection.Parameters.Select(p => HfName.PartOf(p.Name, place.Module)).OfType<string>().ToList();
        var isSaved = own.Contains("weight");
        var isAdapted = own.Any(static end => end is not ("weight" or "bias")
            && !end.StartsWith("base_layer.", StringComparison.Ordinal));
        return HfName.PartOf(name, place.Module)!.Split('.')[0] switch
        {
            "base_layer" => isAdapted,
            "original_module" => isSaved,
            _ => !isAdapted && !isSaved,
        };
    }
}
