using System.Runtime.InteropServices;

namespace OrtPeft.Kernels.Native;

/// <summary>
/// The functions of ONNX Runtime's C API that operators of one's own need and its C# API does not show. The C API only
/// grows at its end, so that a function's place in its table never changes.
/// </summary>
internal sealed unsafe partial class OrtFunctions
{
    /// <summary>The C API's version; ONNX Runtime 1.18 and later have it.</summary>
    public const uint Version = 18;

    private const string Library = "onnxruntime";

    private readonly nint* _table;

    private OrtFunctions(nint* table) => _table = table;

    /// <summary>The native library's functions; null where it cannot be reached or is older.</summary>
    public static OrtFunctions? Instance { get; } = Load();

    public delegate* unmanaged<int, byte*, nint> CreateStatus => (delegate* unmanaged<int, byte*, nint>)_table[0];

    public delegate* unmanaged<nint, byte*> GetErrorMessage => (delegate* unmanaged<nint, byte*>)_table[2];

    public delegate* unmanaged<nint, void> ReleaseStatus => (delegate* unmanaged<nint, void>)_table[93];

    public delegate* unmanaged<byte*, nint*, nint> CreateCustomOpDomain =>
        (delegate* unmanaged<byte*, nint*, nint>)_table[26];

    public delegate* unmanaged<nint, OrtCustomOp*, nint> AddToDomain =>
        (delegate* unmanaged<nint, OrtCustomOp*, nint>)_table[27];

    public delegate* unmanaged<nint, nint, nint> AddCustomOpDomain =>
        (delegate* unmanaged<nint, nint, nint>)_table[28];

    public delegate* unmanaged<nint, float**, nint> GetTensorMutableData =>
        (delegate* unmanaged<nint, float**, nint>)_table[51];

    public delegate* unmanaged<nint, int*, nint> GetTensorElementType =>
        (delegate* unmanaged<nint, int*, nint>)_table[60];

    public delegate* unmanaged<nint, nuint*, nint> GetDimensionsCount =>
        (delegate* unmanaged<nint, nuint*, nint>)_table[61];

    public delegate* unmanaged<nint, long*, nuint, nint> GetDimensions =>
        (delegate* unmanaged<nint, long*, nuint, nint>)_table[62];

    public delegate* unmanaged<nint, byte**, nuint, nint> GetSymbolicDimensions =>
        (delegate* unmanaged<nint, byte**, nuint, nint>)_table[63];

    public delegate* unmanaged<nint, nint*, nint> GetTensorTypeAndShape =>
        (delegate* unmanaged<nint, nint*, nint>)_table[65];

    public delegate* unmanaged<nint, nuint, nint*, nint> GetInput =>
        (delegate* unmanaged<nint, nuint, nint*, nint>)_table[90];

    public delegate* unmanaged<nint, nuint, long*, nuint, nint*, nint> GetOutput =>
        (delegate* unmanaged<nint, nuint, long*, nuint, nint*, nint>)_table[91];

    public delegate* unmanaged<nint, void> ReleaseTypeAndShape => (delegate* unmanaged<nint, void>)_table[99];

    public delegate* unmanaged<nint, nuint, nint*, nint> GetInputTypeShape =>
        (delegate* unmanaged<nint, nuint, nint*, nint>)_table[268];

    public delegate* unmanaged<nint, nuint, nint, nint> SetOutputTypeShape =>
        (delegate* unmanaged<nint, nuint, nint, nint>)_table[270];

    public delegate* unmanaged<nint, delegate* unmanaged<void*, nuint, void>, nuint, nuint, void*, nint> ParallelFor =>
        (delegate* unmanaged<nint, delegate* unmanaged<void*, nuint, void>, nuint, nuint, void*, nint>)_table[274];

    /// <summary>Fails where a function did, with its message; the status is released.</summary>
    /// <exception cref="KernelException">The status is not null.</exception>
    public static void Check(nint status)
    {
        if (status == 0)
            return;
        var ort = Instance!;
        var message = Marshal.PtrToStringUTF8((nint)ort.GetErrorMessage(status));
        ort.ReleaseStatus(status);
        throw new KernelException(message ?? "A function of ONNX Runtime failed without a message.");
    }

    private static OrtFunctions? Load()
    {
        try
        {
            var table = ((delegate* unmanaged<uint, nint*>)GetApiBase()[0])(Version);
            return table is null ? null : new OrtFunctions(table);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            return null;
        }
    }

    /// <summary>A table whose first entry gives the API of a version.</summary>
    [LibraryImport(Library, EntryPoint = "OrtGetApiBase")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory | DllImportSearchPath.SafeDirectories)]
    private static partial nint* GetApiBase();
}
