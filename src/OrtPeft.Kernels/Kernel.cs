using OrtPeft.Kernels.Native;
using OrtPeft.Tensors;

namespace OrtPeft.Kernels;

/// <summary>Does an operator's work: reads the inputs, makes the outputs.</summary>
internal delegate void KernelBody(KernelCall call);

/// <summary>An operator of OrtPeft's own and what computes it on the CPU.</summary>
/// <param name="Name">The operator's name.</param>
/// <param name="Inputs">The inputs' element types.</param>
/// <param name="Outputs">For each output, which is float32, the input whose shape it has, or
/// <see cref="OfOwnShape"/>.</param>
/// <param name="Run">Computes it.</param>
internal sealed record Kernel(
    string Name, IReadOnlyList<ElementType> Inputs, IReadOnlyList<int> Outputs, KernelBody Run)
{
    /// <summary>Stands for an output whose shape no input has: ONNX Runtime learns it when the node runs.</summary>
    public const int OfOwnShape = -1;

    /// <summary>An operator on float32 inputs with one output, of the first input's shape.</summary>
    public Kernel(string name, int inputs, KernelBody run)
        : this(name, [.. Enumerable.Repeat(ElementType.Float, inputs)], [0], run)
    {
    }

    /// <summary>How many of the last inputs may be missing. Default 0.</summary>
    public int OptionalInputs { get; init; }

    /// <summary>Whether the first output may overwrite the first input where nothing reads that any more. Default
    /// false.</summary>
    public bool RunsInPlace { get; init; }
}
