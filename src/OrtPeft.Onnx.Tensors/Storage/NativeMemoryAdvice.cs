using System.Runtime.InteropServices;

namespace OrtPeft.Onnx.Storage;

/// <summary>The systems' calls that take pages out of a process's working set. What they return does not matter: they
/// are advice.</summary>
internal static partial class NativeMemoryAdvice
{
    /// <summary><c>MADV_DONTNEED</c>, of the same value on Linux and macOS.</summary>
    public const int DontNeed = 4;

    /// <seealso href="https://man7.org/linux/man-pages/man2/madvise.2.html">madvise(2).</seealso>
    [LibraryImport("libc", EntryPoint = "madvise")]
    public static partial int Advise(nint address, nuint length, int advice);

    /// <summary>Of pages that are not locked it removes those of the range from the working set.</summary>
    /// <seealso href="https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-virtualunlock">Remarks.
    /// </seealso>
    [LibraryImport("kernel32")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int VirtualUnlock(nint address, nuint size);
}
