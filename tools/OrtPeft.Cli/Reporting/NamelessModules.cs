using OrtPeft.Adapters;

namespace OrtPeft.Cli.Reporting;

/// <summary>Says which adapted layers have names that HF PEFT may not know.</summary>
internal static class NamelessModules
{
    /// <summary>Warns in one line of each kind, where there are some.</summary>
    public static void Warn(Invocation run, PeftModel peft)
    {
        var names = peft.ModulesWithoutSourceName;
        if (names.Count > 0)
        {
            run.Warn($"the graph does not tell the source model's name of {Human.Count(names.Count, "adapted layer")}, such "
                + $"as {names[0]}; the adapter fits this graph but not HF PEFT: give the names with --name-map.");
        }

        if (peft.ModulesPerhapsPacked is [var first, ..])
        {
            run.Warn("the graph is of GenAI's builder, and no genai_config.json beside it says its family: layers such as "
                + $"{first} have Llama's names, which Phi-3 in HF PEFT does not know. If it is Phi-3, put that file beside it.");
        }
    }
}
