using OrtPeft.Cli.Errors;

namespace OrtPeft.Cli.Options;

/// <summary>An adapter's folder and its weight in a combination.</summary>
/// <param name="Folder">The folder.</param>
/// <param name="Weight">Finite, of any sign.</param>
internal sealed record AdapterWeight(string Folder, double Weight)
{
    /// <summary>Reads <c>DIR=WEIGHT</c> or <c>DIR</c>; a folder may have the sign in its name.</summary>
    /// <exception cref="UsageException">The weight is not a number.</exception>
    public static AdapterWeight Parse(string text)
    {
        var sign = text.LastIndexOf('=');
        if (sign <= 0 || Directory.Exists(text))
            return new AdapterWeight(text, 1);
        var (folder, number) = (text[..sign], text[(sign + 1)..]);
        return TypedNumber.TryRead(number, out double weight)
            ? new AdapterWeight(folder, weight)
            : throw new UsageException(
                $"--adapter is '{text}'; the weight after = is a finite number, as in {folder}=0.5, "
                + $"and '{number}' must be {TypedNumber.Expected<double>(number)}.");
    }
}
