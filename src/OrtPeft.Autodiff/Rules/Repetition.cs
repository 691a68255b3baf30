namespace OrtPeft.Autodiff.Rules;

/// <summary>Operators that repeat a graph of their own.</summary>
internal static class Repetition
{
    public static IEnumerable<(OpKey Key, GradientRule Rule)> Rows { get; } =
        [(("Scan", 9), static c => new ScanGradient(c, ScanForm.Of(c)).Build())];
}
