using OrtPeft.Adapters;

namespace OrtPeft.Cli.Reporting;

/// <summary>Warns of an adapter's file that has other weights of the base than the model.</summary>
internal static class ReplacedBase
{
    /// <summary>Writes one line, where there are any.</summary>
    /// <param name="run">Where the line goes.</param>
    /// <param name="folder">The adapter's folder.</param>
    /// <param name="peft">The model that it is on.</param>
    /// <param name="name">What it is called there.</param>
    public static void Warn(Invocation run, string folder, PeftModel peft, string name = PeftModel.DefaultName)
    {
        var names = string.Join(", ", peft.Adapters.BaseWeightsOf(name).Keys);
        if (names.Length > 0)
            run.Warn($"{folder}: {names} differs from the base's and takes its place, as in HF PEFT.");
    }
}
