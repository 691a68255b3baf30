using System.Runtime.CompilerServices;

namespace OrtPeft.Testing;

/// <summary>Where the fixture files are; they are read from the source tree, not copied to the output.</summary>
internal static class Fixtures
{
    /// <summary>The folder <c>tests/Fixtures</c>.</summary>
    public static string Folder { get; } = Path.GetFullPath(Path.Combine(ThisFolder(), "..", "Fixtures"));

    /// <summary>The path of a graph, such as <c>hf442_g2l_nopast_op13.onnx</c>.</summary>
    public static string Graph(string name) => Path.Combine(Folder, "graphs", name);

    /// <summary>Every graph, by its path below <c>graphs</c>, in ordinal order.</summary>
    public static IReadOnlyList<string> Graphs { get; } =
    [
        .. Directory.EnumerateFiles(Graph(""), "*.onnx", SearchOption.AllDirectories)
            .Select(static path => Path.GetRelativePath(Graph(""), path).Replace('\\', '/'))
            .Order(StringComparer.Ordinal),
    ];

    private static string ThisFolder([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
