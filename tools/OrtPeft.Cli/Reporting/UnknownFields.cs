using OrtPeft.Adapters;

namespace OrtPeft.Cli.Reporting;

/// <summary>Warns of what a configuration has and OrtPeft does not know.</summary>
internal static class UnknownFields
{
    /// <summary>Names the fields in one line, where there are any.</summary>
    /// <param name="run">Where the line goes.</param>
    /// <param name="origin">The configuration's file or folder.</param>
    /// <param name="config">The configuration.</param>
    public static void Warn(Invocation run, string origin, PeftConfig config)
    {
        var fields = config.UnknownFields;
        if (fields.Count > 0)
            run.Warn(
                $"{origin} has fields that OrtPeft does not know, kept but without effect here: "
                + $"{string.Join(", ", fields)}.");
    }
}
