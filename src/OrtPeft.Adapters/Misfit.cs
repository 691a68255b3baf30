using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters;

/// <summary>Says why a tensor of a file does not fit an adapter, as far as its name and axes tell.</summary>
internal static class Misfit
{
    private const string OfAnother =
        "is it an adapter for another model, or does its adapter_config.json name other modules?";

    private static readonly (string Part, int Axis)[] Ranks =
        [(HfName.LoraA, 0), (HfName.LoraEmbeddingA, 0), (HfName.LoraB, 1), (HfName.LoraEmbeddingB, 1)];

    /// <summary>Of a name that the adapter does not have.</summary>
    public static string OfName(string name, IReadOnlyList<AdapterParameter> parameters)
    {
        var known = parameters.SelectMany(static p => p.AllNames).ToHashSet(StringComparer.Ordinal);
        if (known.Contains(HfName.Of(name)))
            return $"'{name}' lacks HF PEFT's prefix '{HfName.Root}'; rename the tensors.";
        return $"'{name}' has no place in this model, whose adapter has '{parameters[0].Name}'…; {OfAnother}";
    }

    /// <summary>Of a tensor that the file does not have.</summary>
    public static string OfNone(AdapterParameter parameter) =>
        $"'{parameter.Name}' {parameter.Value.Initializer!.Shape} is missing; {OfAnother}";

    /// <summary>Of another shape.</summary>
    public static string OfShape(AdapterParameter parameter, Tensor tensor)
    {
        var expected = parameter.Value.Initializer!;
        return $"'{parameter.Name}' is {tensor.Shape} where this model takes {expected.Shape}; "
            + Remedy(parameter.Name, expected, tensor);
    }

    /// <summary>The explanation of a matrix with another number of rows of the same width, a resized vocabulary; null
    /// for other misfits.</summary>
    public static string? OfVocabulary(Tensor expected, Tensor given) =>
        expected.Dims.Length == 2 && given.Dims.Length == 2 && expected.Dims[1] == given.Dims[1]
            ? $"the vocabulary was resized from {expected.Dims[0]} to {given.Dims[0]} tokens: give the base that was "
                + "resized, as resize_token_embeddings and save_pretrained of transformers write it."
            : null;

    private static string Remedy(string name, Tensor expected, Tensor given)
    {
        var isMatrix = expected.Dims.Length == 2 && given.Dims.Length == 2;
        var (part, axis) = Ranks.FirstOrDefault(r => HfName.IsPart(name, r.Part));
        if (part is not null)
            return isMatrix && expected.Dims[1 - axis] == given.Dims[1 - axis]
                ? $"its rank is {given.Dims[axis]}, and adapter_config.json (r, rank_pattern) makes it "
                    + $"{expected.Dims[axis]}."
                : OfAnother;
        const string Weight = ".weight";
        var module = name.EndsWith(Weight, StringComparison.Ordinal) ? name[..^Weight.Length] : "";
        var isWhole = DecoderFamilies.IsHead(module) || DecoderFamilies.IsTokenEmbedding(module);
        return (isWhole ? OfVocabulary(expected, given) : null) ?? OfAnother;
    }
}
