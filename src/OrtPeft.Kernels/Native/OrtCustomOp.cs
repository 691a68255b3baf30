using System.Runtime.InteropServices;

namespace OrtPeft.Kernels.Native;

/// <summary>
/// ONNX Runtime's <c>OrtCustomOp</c> of C API version 18, followed by the place in <see cref="FusedOps"/>: every
/// callback gets the structure's address and reads there which operator is meant.
/// </summary>
/// <seealso href="https://onnxruntime.ai/docs/reference/operators/add-custom-op.html"/>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct OrtCustomOp
{
    public uint Version;
    public nint CreateKernel;
    public delegate* unmanaged<OrtCustomOp*, byte*> GetName;
    public delegate* unmanaged<OrtCustomOp*, byte*> GetExecutionProviderType;
    public delegate* unmanaged<OrtCustomOp*, nuint, int> GetInputType;
    public delegate* unmanaged<OrtCustomOp*, nuint> GetInputTypeCount;
    public delegate* unmanaged<OrtCustomOp*, nuint, int> GetOutputType;
    public delegate* unmanaged<OrtCustomOp*, nuint> GetOutputTypeCount;
    public nint KernelCompute;
    public delegate* unmanaged<void*, void> KernelDestroy;
    public delegate* unmanaged<OrtCustomOp*, nuint, int> GetInputCharacteristic;
    public delegate* unmanaged<OrtCustomOp*, nuint, int> GetOutputCharacteristic;
    public delegate* unmanaged<OrtCustomOp*, nuint, int> GetInputMemoryType;
    public delegate* unmanaged<OrtCustomOp*, int> GetVariadicInputMinArity;
    public delegate* unmanaged<OrtCustomOp*, int> GetVariadicInputHomogeneity;
    public delegate* unmanaged<OrtCustomOp*, int> GetVariadicOutputMinArity;
    public delegate* unmanaged<OrtCustomOp*, int> GetVariadicOutputHomogeneity;
    public delegate* unmanaged<OrtCustomOp*, nint, nint, void**, nint> CreateKernelV2;
    public delegate* unmanaged<void*, nint, nint> KernelComputeV2;
    public delegate* unmanaged<OrtCustomOp*, nint, nint> InferOutputShape;
    public delegate* unmanaged<OrtCustomOp*, int> GetStartVersion;
    public delegate* unmanaged<OrtCustomOp*, int> GetEndVersion;
    public nint GetMayInplace;
    public nint ReleaseMayInplace;
    public nint GetAliasMap;
    public nint ReleaseAliasMap;

    /// <summary>Behind ONNX Runtime's own fields: the operator's place in the table.</summary>
    public int Index;

    /// <summary>Behind ONNX Runtime's own fields: the operator's name in UTF-8, ended by a zero.</summary>
    public byte* Name;
}
