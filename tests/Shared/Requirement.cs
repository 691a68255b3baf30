namespace OrtPeft.Testing;

/// <summary>What a test needs beside .NET, such as Node or a browser.</summary>
internal static class Requirement
{
    /// <summary>The reason to skip a test, or null to run it. With the variable ORTPEFT_SKIP_NOTHING, as in continuous
    /// integration, everything runs, and what is missing is a failure.</summary>
    /// <param name="whyNot">What is missing, or null when nothing is.</param>
    public static string? SkipReason(string? whyNot) =>
        Environment.GetEnvironmentVariable("ORTPEFT_SKIP_NOTHING") is null ? whyNot : null;
}
