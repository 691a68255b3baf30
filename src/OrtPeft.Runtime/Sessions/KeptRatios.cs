using System.Globalization;

namespace OrtPeft.Runtime.Sessions;

/// <summary>The measurements of trials, a line each: what was tried, a tabulator, and the ratio. A file that cannot
/// be read is as good as none, and one that cannot be written costs a trial in every process.</summary>
/// <param name="path">The file; null for none.</param>
internal sealed class KeptRatios(string? path)
{
    private const char Separator = '\t';

    /// <summary>The file in the user's cache folder; none where the system knows no such folder.</summary>
    public static KeptRatios OfUser { get; } = new(UserFile());

    /// <summary>A ratio that was kept, or null.</summary>
    /// <param name="name">What was tried.</param>
    public double? Find(string name) => Lines()
        .Where(line => line.StartsWith(name + Separator, StringComparison.Ordinal))
        .Select(line => RatioOf(line[(name.Length + 1)..])).FirstOrDefault(static r => r is not null);

    /// <summary>Keeps a ratio, unless another process was faster.</summary>
    /// <param name="name">What was tried.</param>
    /// <param name="ratio">The ratio.</param>
    /// <returns>The one that is kept.</returns>
    public double Keep(string name, double ratio)
    {
        if (Find(name) is { } kept)
            return kept;
        if (path is null)
            return ratio;
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            // A line that is damaged ends here.
            File.AppendAllText(path, string.Create(CultureInfo.InvariantCulture, $"\n{name}{Separator}{ratio:R}"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }

        return ratio;
    }

    private string[] Lines()
    {
        try
        {
            return path is null ? [] : File.ReadAllLines(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static double? RatioOf(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var ratio)
            && double.IsFinite(ratio) && ratio > 0 ? ratio : null;

    private static string? UserFile()
    {
        var folder = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
        if (!Path.IsPathRooted(folder))
        {
            var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
            folder = !OperatingSystem.IsLinux()
                ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
                : home.Length == 0 ? "" : Path.Combine(home, ".cache");
        }

        return folder.Length == 0 ? null : Path.Combine(folder, "ortpeft", "products.txt");
    }
}
