using OrtPeft.Onnx;

namespace OrtPeft.Adapters.Modules;

/// <summary>A vector that a module of the source model owns: a bias, or the weight of a normalisation.</summary>
/// <param name="Module">The module's path, such as <c>transformer.h.0.ln_1</c>.</param>
/// <param name="Kind"><c>weight</c> or <c>bias</c>.</param>
/// <param name="Value">The initializer, with one axis.</param>
internal sealed record VectorParameter(string Module, string Kind, Value Value)
{
    /// <summary>Whether the graph has 1 + weight in the weight's place.</summary>
    public bool IsPlusOne { get; init; }

    /// <summary>The parameter's name in the source model, such as <c>transformer.h.0.ln_1.weight</c>.</summary>
    public string Name => $"{Module}.{Kind}";
}
