using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Text;
using OrtPeft.Kernels.MachineCode;
using OrtPeft.Kernels.Native;

namespace OrtPeft.Kernels;

/// <summary>
/// Makes the operators of <see cref="FusedOps"/> known to sessions. What ONNX Runtime points to is made once and
/// lives as long as the process.
/// </summary>
public static unsafe class KernelDomain
{
    private const int Fail = 1;

    private static readonly FusedOp[] _kernels = [.. FusedOps.All.Where(static op => op.Run is not null)];

    private static readonly Lazy<nint> _domain = new(Create);

    /// <summary>Whether the native library takes operators of one's own; providers other than the CPU's run none.
    /// </summary>
    public static bool IsAvailable => OrtFunctions.Instance is not null;

    /// <summary>Whether products with packed matrices are known to be faster than ONNX Runtime's: with AVX-512. Elsewhere
    /// it depends on the processor.</summary>
    public static bool MultipliesFast => Avx512F.IsSupported;

    /// <summary>Why products of bfloat16 are no faster here; null where they are, with AVX512_BF16.</summary>
    public static string? ObstacleToBf16 => Bf16Code.Obstacle;

    /// <summary>Lets a session use the operators.</summary>
    /// <param name="sessionOptions">The handle of ONNX Runtime's <c>OrtSessionOptions</c>.</param>
    public static void AddTo(nint sessionOptions)
    {
        var ort = OrtFunctions.Instance
            ?? throw new InvalidOperationException("Bug: this build of ONNX Runtime takes no further operators.");
        OrtFunctions.Check(ort.AddCustomOpDomain(sessionOptions, _domain.Value));
    }

    private static nint Create()
    {
        var ort = OrtFunctions.Instance!;
        nint domain;
        OrtFunctions.Check(ort.CreateCustomOpDomain(Utf8(FusedOp.Domain), &domain));
        foreach (var (index, kernel) in _kernels.Index())
        {
            var op = (OrtCustomOp*)NativeMemory.AllocZeroed((nuint)sizeof(OrtCustomOp));
            *op = Describe(kernel, index);
            OrtFunctions.Check(ort.AddToDomain(domain, op));
        }

        return domain;
    }

    private static OrtCustomOp Describe(FusedOp kernel, int index) => new()
    {
        Version = OrtFunctions.Version,
        GetName = &NameOf,
        GetExecutionProviderType = &ProviderOf,
        GetInputType = &InputType,
        GetInputTypeCount = &InputCount,
        GetOutputType = &OutputType,
        GetOutputTypeCount = &OutputCount,
        KernelDestroy = &Destroy,
        GetInputCharacteristic = &IsOptional,
        GetOutputCharacteristic = &Required,
        GetInputMemoryType = &DefaultMemory,
        GetVariadicInputMinArity = &One,
        GetVariadicInputHomogeneity = &One,
        GetVariadicOutputMinArity = &One,
        GetVariadicOutputHomogeneity = &One,
        CreateKernelV2 = &CreateKernel,
        KernelComputeV2 = &Compute,
        InferOutputShape = &InferShapes,
        GetStartVersion = &One,
        GetEndVersion = &LastVersion,
        GetMayInplace = kernel.RunsInPlace ? (nint)(delegate* unmanaged<int**, int**, nuint>)&FirstOverFirst : 0,
        ReleaseMayInplace =
            kernel.RunsInPlace ? (nint)(delegate* unmanaged<int*, int*, void>)&ReleaseIndices : 0,
        GetAliasMap = kernel.IsView ? (nint)(delegate* unmanaged<int**, int**, nuint>)&FirstOverFirst : 0,
        ReleaseAliasMap = kernel.IsView ? (nint)(delegate* unmanaged<int*, int*, void>)&ReleaseIndices : 0,
        Index = index,
        Name = Utf8(kernel.Name),
    };

    private static byte* Utf8(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var copy = (byte*)NativeMemory.AllocZeroed((nuint)bytes.Length + 1);
        bytes.CopyTo(new Span<byte>(copy, bytes.Length));
        return copy;
    }

    [UnmanagedCallersOnly]
    private static byte* NameOf(OrtCustomOp* op) => op->Name;

    /// <summary>Null stands for the CPU.</summary>
    [UnmanagedCallersOnly]
    private static byte* ProviderOf(OrtCustomOp* op) => null;

    /// <summary>ONNX and ONNX Runtime count the types that occur here alike.</summary>
    [UnmanagedCallersOnly]
    private static int InputType(OrtCustomOp* op, nuint input) => (int)_kernels[op->Index].Signature.Inputs[(int)input].Type;

    [UnmanagedCallersOnly]
    private static nuint InputCount(OrtCustomOp* op) => (nuint)_kernels[op->Index].Signature.Inputs.Length;

    [UnmanagedCallersOnly]
    private static int OutputType(OrtCustomOp* op, nuint output) =>
        (int)_kernels[op->Index].Signature.Outputs[(int)output].Type;

    [UnmanagedCallersOnly]
    private static nuint OutputCount(OrtCustomOp* op) => (nuint)_kernels[op->Index].Signature.Outputs.Length;

    /// <summary>1 stands for an input that may be missing, 0 for one that must be there.</summary>
    [UnmanagedCallersOnly]
    private static int IsOptional(OrtCustomOp* op, nuint input) =>
        _kernels[op->Index].Signature.Inputs[(int)input].IsOptional ? 1 : 0;

    [UnmanagedCallersOnly]
    private static int Required(OrtCustomOp* op, nuint index) => 0;

    [UnmanagedCallersOnly]
    private static int DefaultMemory(OrtCustomOp* op, nuint index) => 0;

    [UnmanagedCallersOnly]
    private static int One(OrtCustomOp* op) => 1;

    [UnmanagedCallersOnly]
    private static int LastVersion(OrtCustomOp* op) => int.MaxValue;

    [UnmanagedCallersOnly]
    private static void Destroy(void* kernel)
    {
    }

    [UnmanagedCallersOnly]
    private static nuint FirstOverFirst(int** inputs, int** outputs)
    {
        *inputs = (int*)NativeMemory.AllocZeroed(sizeof(int));
        *outputs = (int*)NativeMemory.AllocZeroed(sizeof(int));
        return 1;
    }

    [UnmanagedCallersOnly]
    private static void ReleaseIndices(int* inputs, int* outputs)
    {
        NativeMemory.Free(inputs);
        NativeMemory.Free(outputs);
    }

    /// <summary>Operators keep nothing from run to run: the operator itself serves as its kernel.</summary>
    [UnmanagedCallersOnly]
    private static nint CreateKernel(OrtCustomOp* op, nint api, nint info, void** kernel)
    {
        *kernel = op;
        return 0;
    }

    [UnmanagedCallersOnly]
    private static nint Compute(void* kernel, nint context)
    {
        var ort = OrtFunctions.Instance!;
        var row = _kernels[((OrtCustomOp*)kernel)->Index];
        try
        {
            var call = new KernelCall(ort, context, row.Signature.Inputs.Length);
            call.Check(row.Signature);
            row.Run!(call);
            return 0;
        }
        catch (Exception e)
        {
            return StatusOf(ort, row.Name, e);
        }
    }

    /// <summary>Outputs have the shapes of inputs.</summary>
    [UnmanagedCallersOnly]
    private static nint InferShapes(OrtCustomOp* op, nint context)
    {
        var ort = OrtFunctions.Instance!;
        var signature = _kernels[op->Index].Signature;
        for (var output = 0; output < signature.Outputs.Length; output++)
        {
            var input = signature.InputLike(output);
            if (input < 0)
                continue;
            nint info;
            var status = ort.GetInputTypeShape(context, (nuint)input, &info);
            if (status == 0 && HasNames(ort, info))
                status = ort.SetOutputTypeShape(context, (nuint)output, info);
            if (status != 0)
                return status;
        }

        return 0;
    }

    /// <summary>Whether each axis has a length or a name: ONNX Runtime would take the lengths of others for −1.</summary>
    private static bool HasNames(OrtFunctions ort, nint info)
    {
        nuint rank;
        OrtFunctions.Check(ort.GetDimensionsCount(info, &rank));
        var lengths = stackalloc long[(int)rank];
        var names = stackalloc byte*[(int)rank];
        OrtFunctions.Check(ort.GetDimensions(info, lengths, rank));
        OrtFunctions.Check(ort.GetSymbolicDimensions(info, names, rank));
        for (nuint i = 0; i < rank; i++)
        {
            if (lengths[i] < 0 && (names[i] == null || *names[i] == 0))
                return false;
        }

        return true;
    }

    private static nint StatusOf(OrtFunctions ort, string name, Exception error)
    {
        var message = Encoding.UTF8.GetBytes($"{FusedOp.Domain}.{name}: {error.Message}\0");
        fixed (byte* start = message)
            return ort.CreateStatus(Fail, start);
    }
}
