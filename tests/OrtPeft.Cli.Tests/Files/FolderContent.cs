using System.Diagnostics;
using System.Security.Cryptography;

namespace OrtPeft.Cli.Tests.Files;

/// <summary>All that a folder holds, so that two folders can be compared.</summary>
internal static class FolderContent
{
    /// <summary>Files by their relative names with their bytes' hashes; hidden ones of runs are passed over.</summary>
    public static SortedDictionary<string, string> Of(string folder)
    {
        var content = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            var name = Path.GetRelativePath(folder, file);
            if (!name.StartsWith(".ortpeft-", StringComparison.Ordinal))
                content[name] = Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file)));
        }

        return content;
    }

    public static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var folder in Directory.EnumerateDirectories(from, "*", SearchOption.AllDirectories))
            Directory.CreateDirectory(Path.Combine(to, Path.GetRelativePath(from, folder)));
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
            CopyFile(file, Path.Combine(to, Path.GetRelativePath(from, file)));
    }

    /// <summary>What is locked, such as the lock itself, is copied by a program that asks for no lock, unless it is
    /// empty.</summary>
    private static void CopyFile(string from, string to)
    {
        try
        {
            File.Copy(from, to);
        }
        catch (IOException) when (new FileInfo(from).Length == 0)
        {
            File.WriteAllBytes(to, []);
        }
        catch (IOException) when (!OperatingSystem.IsWindows())
        {
            using var copy = Process.Start("cp", [from, to]);
            copy.WaitForExit();
        }
    }
}
