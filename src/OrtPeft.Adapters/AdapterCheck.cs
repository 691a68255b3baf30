using System.Runtime.InteropServices;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Storage;

namespace OrtPeft.Adapters;

/// <summary>Compares weights from outside with what a model's adapter expects.</summary>
internal static class AdapterCheck
{
    public static void Fits(
        IReadOnlyList<AdapterParameter> parameters, IReadOnlyDictionary<string, Tensor> weights, string source)
    {
        var known = parameters.Select(static p => p.Name).ToHashSet(StringComparer.Ordinal);
        if (weights.Keys.FirstOrDefault(name => !known.Contains(name)) is { } unknown)
        {
            throw new ConfigException(
                $"{source}: '{unknown}' has no place in this model, whose adapter has '{parameters[0].Name}'…; " +
                "is it an adapter for another model?");
        }

        foreach (var parameter in parameters)
        {
            var expected = parameter.Value.Initializer!;
            if (!weights.TryGetValue(parameter.Name, out var tensor))
            {
                if (!IsOptional(parameter))
                    throw new ConfigException(
                        $"{source}: '{parameter.Name}' {expected.Shape} is missing; is it an adapter for another " +
                        "model?");
            }
            else if (!tensor.Dims.SequenceEqual(expected.Dims))
            {
                throw new ConfigException(
                    $"{source}: '{parameter.Name}' is {tensor.Shape} where this model takes {expected.Shape}; " +
                    "is it an adapter for another model?");
            }
        }
    }

    /// <summary>HF PEFT leaves the biases trained by <c>bias="lora_only"</c> out of its files.</summary>
    private static bool IsOptional(AdapterParameter parameter) =>
        parameter.Name.EndsWith(".base_layer.bias", StringComparison.Ordinal);

    public static Tensor InTypeOf(AdapterParameter parameter, Tensor tensor)
    {
        var wanted = parameter.Value.Type;
        if (tensor.Type == wanted)
            return tensor;
        if (wanted != ElementType.Float || !tensor.Type.IsFloating())
            throw new ConfigException($"'{parameter.Name}' is {tensor.Type}; the model computes in {wanted}.");
        return new Tensor(
            wanted, tensor.Dims, new MemoryTensorData(MemoryMarshal.AsBytes<float>(tensor.ToFloat32()).ToArray()));
    }
}
