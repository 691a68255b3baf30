using System.ComponentModel;
using System.Runtime.InteropServices;

namespace OrtPeft.Kernels.MachineCode;

/// <summary>Memory with instructions: written first, then made executable, and never both. It lives as long as the
/// process.</summary>
internal static unsafe partial class CodePages
{
    private const int Read = 1, Write = 2, Execute = 4;
    private const int Private = 2;
    private const uint Commit = 0x3000, ReadWrite = 4, ExecuteRead = 0x20;

    /// <summary>Puts instructions into memory.</summary>
    /// <param name="code">The instructions, which may stand anywhere.</param>
    /// <returns>The first one's address.</returns>
    /// <exception cref="Win32Exception">The system forbids it.</exception>
    public static nint Of(ReadOnlySpan<byte> code)
    {
        var size = (nuint)code.Length;
        if (OperatingSystem.IsWindows())
        {
            var pages = Require(VirtualAlloc(0, size, Commit, ReadWrite), 0);
            code.CopyTo(new Span<byte>((void*)pages, code.Length));
            Require(VirtualProtect(pages, size, ExecuteRead, out _) ? 1 : 0, 0);
            return pages;
        }

        var anonymous = OperatingSystem.IsMacOS() ? 0x1000 : 0x20;
        var mapped = Require(Map(0, size, Read | Write, Private | anonymous, -1, 0), -1);
        code.CopyTo(new Span<byte>((void*)mapped, code.Length));
        Require(Protect(mapped, size, Read | Execute), -1);
        return mapped;
    }

    private static nint Require(nint result, nint failure) =>
        result != failure ? result : throw new Win32Exception(Marshal.GetLastPInvokeError());

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    private static partial int Protect(nint address, nuint length, int protection);

    [LibraryImport("kernel32", SetLastError = true)]
    private static partial nint VirtualAlloc(nint address, nuint size, uint type, uint protection);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool VirtualProtect(nint address, nuint size, uint protection, out uint previous);
}
