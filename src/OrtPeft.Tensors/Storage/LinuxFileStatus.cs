using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OrtPeft.Tensors.Storage;

/// <summary>Linux's statx, whose structure is the same on every processor.</summary>
/// <seealso href="https://man7.org/linux/man-pages/man2/statx.2.html">statx(2).</seealso>
internal static unsafe partial class LinuxFileStatus
{
    private const int CurrentFolder = -100; // AT_FDCWD
    private const int EmptyPath = 0x1000; // AT_EMPTY_PATH
    private const uint BasicFields = 0x7ff; // STATX_BASIC_STATS
    private const int Size = 256;
    private const int ModeAt = 28;
    private const int InodeAt = 32;
    private const int LengthAt = 40;
    private const int ModifiedSecondsAt = 112;
    private const int ModifiedNanosecondsAt = 120;
    private const int DeviceAt = 136;

    public static FileState? Of(string path)
    {
        var buffer = stackalloc byte[Size];
        return StatX(CurrentFolder, path, 0, BasicFields, buffer) == 0 ? Read(new(buffer, Size)) : null;
    }

    public static FileState? Of(SafeFileHandle handle)
    {
        var buffer = stackalloc byte[Size];
        var isHeld = false;
        try
        {
            handle.DangerousAddRef(ref isHeld);
            var file = (int)handle.DangerousGetHandle();
            return StatX(file, "", EmptyPath, BasicFields, buffer) == 0 ? Read(new(buffer, Size)) : null;
        }
        finally
        {
            if (isHeld)
                handle.DangerousRelease();
        }
    }

    private static FileState Read(ReadOnlySpan<byte> status)
    {
        var mode = BitConverter.ToUInt16(status[ModeAt..]);
        var device = BitConverter.ToUInt64(status[DeviceAt..]);
        var inode = BitConverter.ToUInt64(status[InodeAt..]);
        var seconds = BitConverter.ToInt64(status[ModifiedSecondsAt..]);
        var nanoseconds = BitConverter.ToUInt32(status[ModifiedNanosecondsAt..]);
        return new FileState(
            KindOf(mode),
            $"{device:x}:{inode:x}",
            BitConverter.ToInt64(status[LengthAt..]),
            unchecked((seconds * 1_000_000_000) + nanoseconds));
    }

    private static FileKind KindOf(int mode) => (mode & 0xf000) switch
    {
        0x1000 => FileKind.Pipe,
        0x2000 or 0x6000 => FileKind.Device,
        0x4000 => FileKind.Folder,
        0xc000 => FileKind.Socket,
        _ => FileKind.Regular,
    };

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int folder, string path, int flags, uint mask, byte* status);
}
