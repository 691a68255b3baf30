namespace OrtPeft.Cli.Reporting;

/// <summary>JSON has no word for what is not finite.</summary>
internal static class Finite
{
    public static double? OrNull(double number) => double.IsFinite(number) ? number : null;
}
