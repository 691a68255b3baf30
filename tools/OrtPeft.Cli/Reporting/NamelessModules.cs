using OrtPeft.Adapters;

namespace OrtPeft.Cli.Reporting;

/// <summary>Says which adapted layers have names that only this graph knows.</summary>
internal static class NamelessModules
{
    /// <summary>Warns in one line, where there are some.</summary>
    public static void Warn(Invocation run, PeftModel peft)
    {
        var names = peft.ModulesWithoutSourceName;
        if (names.Count > 0)
        {
            run.Warn($"the graph does not tell the source model's name of {Human.Count(names.Count, "adapted layer")}, such "
                + $"as {names[0]}; the adapter fits this graph but not HF PEFT: give the names with --name-map.");
        }
    }
}
