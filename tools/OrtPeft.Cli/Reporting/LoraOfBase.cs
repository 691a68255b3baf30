using OrtPeft.Adapters;
using OrtPeft.Adapters.Full;

namespace OrtPeft.Cli.Reporting;

/// <summary>Says which layers of a graph have LoRA's products already.</summary>
internal static class LoraOfBase
{
    /// <summary>Warns in one line, where there are some.</summary>
    public static void Warn(Invocation run, PeftModel peft)
    {
        if (peft.ModulesWithLora is not [var first, ..] all)
            return;
        run.Warn($"the graph has LoRA's A and B beside {Human.Count(all.Count, "layer")} already, such as {first}; "
            + (peft.Config is FullConfig
                ? "they train with the rest."
                : "they stay as they are, and what trains belongs to the model with them."));
    }
}
