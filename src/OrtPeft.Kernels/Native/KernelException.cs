namespace OrtPeft.Kernels.Native;

/// <summary>A call of ONNX Runtime's C API that failed, in ONNX Runtime's words.</summary>
internal sealed class KernelException(string message) : Exception(message);
