using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Kernels.Tests;

/// <summary>What one of OrtPeft's own operators must compute, said in standard operators.</summary>
/// <param name="Op">The operator.</param>
/// <param name="What">What is special about the inputs.</param>
/// <param name="Inputs">The inputs; null for one that is left out.</param>
/// <param name="Expected">The results, from the same inputs.</param>
public sealed record KernelCase(
    string Op,
    string What,
    IReadOnlyList<Tensor?> Inputs,
    Func<GraphBuilder, IReadOnlyList<Value>, IReadOnlyList<Value>> Expected)
{
    /// <summary>The name of its test.</summary>
    public string Name => $"{Op}: {What}";
}
