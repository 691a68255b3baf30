namespace OrtPeft.Inference.Kernels;

/// <summary>Carries a failed call's status out of an operator, back to ONNX Runtime.</summary>
internal sealed class KernelException(nint status) : Exception("A function of ONNX Runtime failed.")
{
    /// <summary>ONNX Runtime's status, which its receiver releases.</summary>
    public nint Status { get; } = status;
}
