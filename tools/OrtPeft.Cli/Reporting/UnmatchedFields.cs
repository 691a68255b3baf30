namespace OrtPeft.Cli.Reporting;

/// <summary>Warns of what an adapter's configuration names and the model does not have.</summary>
internal static class UnmatchedFields
{
    /// <summary>The action that writes the clauses in one line, where there are any.</summary>
    /// <param name="run">Where the line goes.</param>
    /// <param name="origin">The configuration's file or folder.</param>
    public static Action<IReadOnlyList<string>> WarningOf(Invocation run, string origin) => clauses =>
    {
        if (clauses.Count > 0)
            run.Warn($"{origin}: without effect here: {string.Join("; ", clauses)}.");
    };
}
