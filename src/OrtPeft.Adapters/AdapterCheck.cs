using System.Runtime.InteropServices;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Numerics;
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
               let given = Given(parameter, weights).FirstOrDefault()
               where given.Name is not null
               select (parameter, InTypeOf(parameter, given.Tensor)),
        ];
    }

    /// <summary>Everything that keeps tensors from being an adapter's, a sentence each; those of names first.</summary>
    public static IEnumerable<string> Faults(Injection injection, IReadOnlyDictionary<string, Tensor> weights) =>
        Faults(PlacesOf(injection), weights);

    private static IEnumerable<string> Faults(
        IReadOnlyList<AdapterParameter> parameters, IReadOnlyDictionary<string, Tensor> weights)
    {
        var names = parameters.SelectMany(static p => p.AllNames).ToHashSet(StringComparer.Ordinal);
        foreach (var unknown in weights.Keys.Where(name => !names.Contains(name)))
            yield return Misfit.OfName(unknown, parameters);
        foreach (var parameter in parameters)
        {
            var given = Given(parameter, weights).ToArray();
            if (given.FirstOrDefault(g => !AreEqual(g.Tensor, given[0].Tensor)).Name is { } other)
                yield return $"'{given[0].Name}' and '{other}' are the same parameter and differ; keep one.";
            else if (given.Length > 0 && FaultOf(parameter, given[0].Tensor) is { } fault)
                yield return fault;
            else if (given.Length == 0 && !parameter.IsOptional)
                yield return Misfit.OfNone(parameter);
        }
    }

    private static IReadOnlyList<AdapterParameter> PlacesOf(Injection injection) =>
        [.. injection.Parameters, .. injection.Buffers.Select(static b => b with { IsOptional = true })];

    /// <summary>The tensors that a file has for a parameter, under each of its names.</summary>
    private static IEnumerable<(string Name, Tensor Tensor)> Given(
        AdapterParameter parameter, IReadOnlyDictionary<string, Tensor> weights)
    {
        foreach (var name in parameter.AllNames.Where(weights.ContainsKey))
        {
            var isTurned = parameter.TransposedAliases.Contains(name) && weights[name].Dims.Length == 2;
            yield return (name, isTurned ? Transposing.Of(weights[name]) : weights[name]);
        }
    }

    private static bool AreEqual(Tensor a, Tensor b) => ReferenceEquals(a, b)
        || (a.Type.IsFloating() && b.Type.IsFloating() && a.Dims.SequenceEqual(b.Dims)
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
