using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Runtime.Sessions;

/// <summary>The memory of packed copies of constant matrices (<see cref="RuntimeOptions.Prepacking"/>).</summary>
internal static class PackedMatrices
{
    /// <summary>The part of the machine's memory, or of the container's, that copies may take.</summary>
    private const long Part = 8;

    /// <summary>Whether a model's copies fit.</summary>
    /// <param name="model">The model.</param>
    /// <param name="directions">How many copies of each matrix: 2 where its gradient runs too. Default 1.</param>
    /// <returns>Whether they take at most an eighth of the memory.</returns>
    public static bool Fit(Model model, int directions = 1) =>
        Fit(directions * Bytes(model));

    /// <summary>Whether copies fit that take the mapped originals' place, which are no longer read then.</summary>
    /// <param name="model">The model.</param>
    /// <returns>Whether one copy of each matrix takes at most half of the memory.</returns>
    public static bool FitInPlace(Model model) =>
        Fit(Bytes(model), part: 2);

    /// <summary>Whether copies of a size fit.</summary>
    /// <param name="bytes">Their bytes.</param>
    /// <param name="part">What part of the memory they may take, as its inverse. Default 8.</param>
    /// <returns>Whether they take at most that part.</returns>
    public static bool Fit(long bytes, long part = Part) =>
        bytes <= GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / part;

    /// <summary>One copy for each product that reads a constant matrix of float32 on its right.</summary>
    /// <param name="model">The model.</param>
    /// <returns>Their bytes.</returns>
    public static long Bytes(Model model) => model.Graph.Nodes
        .Where(static n => n.Is("MatMul") || n.Is("Gemm"))
        .Select(static n => n.Input(1)?.Initializer)
        .Where(static w => w is { Type: ElementType.Float, Dims.Length: 2 })
        .Sum(static w => w!.Data.Length);
}
