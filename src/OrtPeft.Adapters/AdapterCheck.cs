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
        Injection injection, IReadOnlyDictionary<string, Tensor> weights, string source) =>
        Fit(PlacesOf(injection), weights, source);

    /// <summary>Finds each tensor's place by name or alias.</summary>
    /// <returns>The parameters that are given, with their new content in the model's type.</returns>
    /// <exception cref="ConfigException">A tensor is missing, unknown, given twice, or of another shape.</exception>
    public static IReadOnlyList<(AdapterParameter Parameter, Tensor Tensor)> Fit(
        IReadOnlyList<AdapterParameter> parameters, IReadOnlyDictionary<string, Tensor> weights, string source)
    {
        if (Faults(parameters, weights).FirstOrDefault() is { } fault)
            throw ConfigException.At(source, fault);
        return
        [
            .. from parameter in parameters
               let key = NamesOf(parameter).FirstOrDefault(weights.ContainsKey)
               where key is not null
               select (parameter, InTypeOf(parameter, weights[key])),
        ];
    }

    /// <summary>Everything that keeps tensors from being an adapter's, a sentence each; those of names first.</summary>
    public static IEnumerable<string> Faults(Injection injection, IReadOnlyDictionary<string, Tensor> weights) =>
        Faults(PlacesOf(injection), weights);

    private static IEnumerable<string> Faults(
        IReadOnlyList<AdapterParameter> parameters, IReadOnlyDictionary<string, Tensor> weights)
    {
        var names = parameters.SelectMany(NamesOf).ToHashSet(StringComparer.Ordinal);
        foreach (var unknown in weights.Keys.Where(name => !names.Contains(name)))
            yield return Misfit.OfName(unknown, parameters);
        foreach (var parameter in parameters)
        {
            var keys = NamesOf(parameter).Where(weights.ContainsKey).ToArray();
            if (keys.FirstOrDefault(key => !AreEqual(weights[key], weights[keys[0]])) is { } other)
                yield return $"'{keys[0]}' and '{other}' are the same parameter and differ; keep one.";
            else if (keys.Length > 0 && FaultOf(parameter, weights[keys[0]]) is { } fault)
                yield return fault;
            else if (keys.Length == 0 && !parameter.IsOptional)
                yield return Misfit.OfNone(parameter);
        }
    }

    private static IReadOnlyList<AdapterParameter> PlacesOf(Injection injection) =>
        [.. injection.Parameters, .. injection.Buffers.Select(static b => b with { IsOptional = true })];

    private static IEnumerable<string> NamesOf(AdapterParameter parameter) => parameter.Aliases.Prepend(parameter.Name);

    private static bool AreEqual(Tensor a, Tensor b) => ReferenceEquals(a, b)
        || (a.Type == b.Type && a.Type.IsFloating() && a.Dims.SequenceEqual(b.Dims)
            && a.ToFloat32().AsSpan().SequenceEqual(b.ToFloat32()));

    private static string? FaultOf(AdapterParameter parameter, Tensor tensor)
    {
        var expected = parameter.Value.Initializer!;
        var isSame = tensor.Dims.SequenceEqual(expected.Dims);
        var isConvolution = tensor.Dims.SequenceEqual([.. expected.Dims, 1]); // HF PEFT 0.2 has a layer's parts so
        return isSame || isConvolution
            ? FaultOfType(parameter.Name, tensor, parameter.Value.Type)
            : Misfit.OfShape(parameter, tensor);
    }

    private static Tensor InTypeOf(AdapterParameter parameter, Tensor tensor)
    {
        var dims = parameter.Value.Initializer!.Dims;
        var isSame = tensor.Dims.SequenceEqual(dims);
        return InType(
            parameter.Name, isSame ? tensor : new Tensor(tensor.Type, dims, tensor.Data), parameter.Value.Type);
    }

    private static string? FaultOfType(string name, Tensor tensor, ElementType wanted) =>
        tensor.Type == wanted || (wanted == ElementType.Float && tensor.Type.IsFloating())
            ? null
            : $"'{name}' is {tensor.Type}; the model computes in {wanted}.";

    /// <summary>The tensor as float32.</summary>
    /// <exception cref="ConfigException">It is not a floating-point tensor.</exception>
    public static Tensor InFloat(string name, Tensor tensor) => InType(name, tensor, ElementType.Float);

    private static Tensor InType(string name, Tensor tensor, ElementType wanted)
    {
        if (tensor.Type == wanted)
            return tensor;
        if (FaultOfType(name, tensor, wanted) is { } fault)
            throw new ConfigException(fault);
        return new Tensor(
            wanted, tensor.Dims, new MemoryTensorData(MemoryMarshal.AsBytes<float>(tensor.ToFloat32()).ToArray()));
    }
}
