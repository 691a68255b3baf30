using OrtPeft.Cli.Errors;
using OrtPeft.Models;

namespace OrtPeft.Cli.Files;

/// <summary>The files that a run reads and must therefore not replace.</summary>
internal static class InputFiles
{
    /// <summary>A model's graph and weights, wherever links led to them.</summary>
    public static IEnumerable<string> Of(ModelSource source) => source.Model.Graph.Initializers
        .SelectMany(static v => v.Initializer!.Data.Files)
        .Select(static file => file.Path)
        .Append(source.ModelPath)
        .OfType<string>()
        .Distinct();

    /// <summary>The path, if there is a file: said before long work begins.</summary>
    /// <exception cref="UsageException">There is none.</exception>
    public static string Existing(string path) => File.Exists(path)
        ? path
        : throw new UsageException($"{path} does not exist; check the path.");

    /// <summary>All files of an adapter's or an artifact folder.</summary>
    public static IEnumerable<string> In(string folder) =>
        Directory.Exists(folder) ? Directory.EnumerateFiles(folder) : [];
}
