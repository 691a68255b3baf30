using OrtPeft.Onnx;

namespace OrtPeft.Adapters.Modules;

/// <summary>A parameter of three axes that holds a matrix for each expert of a mixture: y[e] = x[e]·W[e].</summary>
internal sealed record ExpertWeight
{
    /// <summary>The module whose parameter it is, such as <c>model.layers.0.mlp.experts</c>.</summary>
    public required string Module { get; init; }

    /// <summary>The parameter's name within the module, such as <c>gate_up_proj</c>.</summary>
    public required string Parameter { get; init; }

    /// <summary>The <c>MatMul</c> that multiplies.</summary>
    public required Node Node { get; init; }

    /// <summary>The weight as stored.</summary>
    public required Value Weight { get; init; }

    /// <summary>True when it is stored [experts, out, in]; false when [experts, in, out].</summary>
    public required bool IsOutByIn { get; init; }

    /// <summary>The parameter's path.</summary>
    public string Path => $"{Module}.{Parameter}";
}
