using System.Runtime.InteropServices;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Adapters;

/// <summary>Compares weights from outside with what a model's adapter expects.</summary>
internal static class AdapterCheck
{
    /// <summary>Finds each tensor's place in an adapter by name or alias; its buffers may be missing.</summary>
    /// <inheritdoc cref="Fit(IReadOnlyList{AdapterParameter}, IReadOnlyDictionary{string, Tensor}, string)"/>
    public static IReadOnlyList<(AdapterParameter Parameter, Tensor Tensor)> Fit(
        Injection injection, IReadOnlyDictionary<string, Tensor> weights, string source) => Fit(
            [.. injection.Parameters, .. injection.Buffers.Select(static b => b with { IsOptional = true })],
            weights,
            source);

    /// <summary>Finds each tensor's place by name or alias.</summary>
    /// <returns>The parameters that are given, with their new content in the model's type.</returns>
    /// <exception cref="ConfigException">A tensor is missing, unknown, given twice, or of another shape.</exception>
    public static IReadOnlyList<(AdapterParameter Parameter, Tensor Tensor)> Fit(
        IReadOnlyList<AdapterParameter> parameters, IReadOnlyDictionary<string, Tensor> weights, string source)
    {
        var names = parameters.SelectMany(static p => p.Aliases.Prepend(p.Name).Select(name => (Name: name, p)))
            .ToDictionary(static e => e.Name, static e => e.p, StringComparer.Ordinal);
        if (weights.Keys.FirstOrDefault(name => !names.ContainsKey(name)) is { } unknown)
            throw ConfigException.At(source, Misfit.OfName(unknown, parameters));

        var given = new List<(AdapterParameter, Tensor)>();
        foreach (var parameter in parameters)
        {
            var keys = parameter.Aliases.Prepend(parameter.Name).Where(weights.ContainsKey).ToArray();
            if (keys.FirstOrDefault(key => !AreEqual(weights[key], weights[keys[0]])) is { } other)
                throw ConfigException.At(
                    source, $"'{keys[0]}' and '{other}' are the same parameter and differ; keep one.");
            if (keys.Length > 0)
                given.Add((parameter, Checked(parameter, weights[keys[0]], source)));
            else if (!parameter.IsOptional)
                throw ConfigException.At(source, Misfit.OfNone(parameter));
        }

        return given;
    }

    private static bool AreEqual(Tensor a, Tensor b) => ReferenceEquals(a, b)
        || (a.Type == b.Type && a.Type.IsFloating() && a.Dims.SequenceEqual(b.Dims)
            && a.ToFloat32().AsSpan().SequenceEqual(b.ToFloat32()));

    private static Tensor Checked(AdapterParameter parameter, Tensor tensor, string source)
    {
        var expected = parameter.Value.Initializer!;
        var isSame = tensor.Dims.SequenceEqual(expected.Dims);
        var isConvolution = tensor.Dims.SequenceEqual([.. expected.Dims, 1]); // HF PEFT 0.2 has a layer's parts so
        if (!isSame && !isConvolution)
            throw ConfigException.At(source, Misfit.OfShape(parameter, tensor));
        return InTypeOf(parameter, isSame ? tensor : new Tensor(tensor.Type, expected.Dims, tensor.Data));
    }

    private static Tensor InTypeOf(AdapterParameter parameter, Tensor tensor) =>
        InType(parameter.Name, tensor, parameter.Value.Type);

    /// <summary>The tensor as float32.</summary>
    /// <exception cref="ConfigException">It is not a floating-point tensor.</exception>
    public static Tensor InFloat(string name, Tensor tensor) => InType(name, tensor, ElementType.Float);

    private static Tensor InType(string name, Tensor tensor, ElementType wanted)
    {
        if (tensor.Type == wanted)
            return tensor;
        if (wanted != ElementType.Float || !tensor.Type.IsFloating())
            throw new ConfigException($"'{name}' is {tensor.Type}; the model computes in {wanted}.");
        return new Tensor(
            wanted, tensor.Dims, new MemoryTensorData(MemoryMarshal.AsBytes<float>(tensor.ToFloat32()).ToArray()));
    }
}
