using System.Runtime.InteropServices;

namespace OrtPeft.Tensors.Storage;

/// <summary>The systems' calls that take pages out of a process's working set.</summary>
internal static partial class NativeMemoryAdvice
{
    /// <summary><c>MADV_DONTNEED</c>, of the same value on Linux and macOS.</summary>
    private const int DontNeed = 4;

    /// <summary><c>MADV_HUGEPAGE</c> of Linux.</summary>
    private const int HugePages = 14;

    /// <summary>Asks the system to take pages of a mapped file back; it is advice, so nothing fails.</summary>
    public static void Release(nint address, nuint length)
    {
        try
        {
            if (OperatingSystem.IsWindows())
                _ = VirtualUnlock(address, length);
            else if (OperatingSystem.IsLinux() || OperatingSystem.IsMacOS())
                _ = Advise(address, length, DontNeed);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            // A C library of another name: the pages stay until the system needs them.
        }
    }

    /// <summary>Asks Linux for large pages: a block that is written for the first time then faults once for each 2 MiB
    /// instead of once for each 4 KiB.</summary>
    /// <param name="address">A multiple of the large page.</param>
    /// <param name="length">Bytes, a multiple of the large page, so that nothing beyond them is taken.</param>
    public static void UseHugePages(nint address, nuint length)
    {
        try
        {
            if (OperatingSystem.IsLinux())
                _ = Advise(address, length, HugePages);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            // A C library of another name: the pages are small.
        }
    }

    /// <seealso href="https://man7.org/linux/man-pages/man2/madvise.2.html">madvise(2).</seealso>
    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nuint length, int advice);

    /// <summary>Of pages that are not locked it removes those of the range from the working set.</summary>
    /// <seealso href="https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-virtualunlock">Remarks.
    /// </seealso>
    [LibraryImport("kernel32")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int VirtualUnlock(nint address, nuint size);
}
