using OrtPeft.Onnx;

namespace OrtPeft.Inference.Sessions;

/// <summary>What ONNX Runtime's packed copies of constant matrices take.</summary>
public static class PackedMatrices
{
    /// <summary>The part of the machine's memory, or of the container's, that copies may take.</summary>
    private const long Part = 4;

    /// <summary>
    /// Whether a model's copies fit, <paramref name="directions"/> of each. A quantised model gets none: it is small on
    /// purpose, and copies of the matrices that it has left whole would double its memory.
    /// </summary>
    public static bool Fit(Model model, int directions = 1) =>
        !model.Graph.Nodes.Any(static n => n.Is("DequantizeLinear")) && Fit(directions * Bytes(model));

    /// <summary>Whether so many bytes fit.</summary>
    public static bool Fit(long bytes) => bytes <= GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / Part;

    /// <summary>One copy for each product that reads a constant matrix of float32 on its right.</summary>
    public static long Bytes(Model model) => model.Graph.Nodes
        .Where(static n => n.Is("MatMul") || n.Is("Gemm"))
        .Select(static n => n.Input(1)?.Initializer)
        .Where(static w => w is { Type: ElementType.Float, Dims.Length: 2 })
        .Sum(static w => w!.Data.Length);
}
