using System.CommandLine;
using OrtPeft.Adapters;
using OrtPeft.Cli.Commands;
using OrtPeft.Cli.Errors;
using OrtPeft.Onnx;

namespace OrtPeft.Cli.Options;

/// <summary>An adapter to put on the model.</summary>
internal sealed class AdapterOption : Option<string?>
{
    public AdapterOption()
        : base("--adapter")
    {
        Description = $"A folder with {AdapterFolder.ConfigFile} and {AdapterFolder.WeightsFile}.";
        HelpName = "DIR";
    }

    /// <summary>The model with the adapter, or null where none is given.</summary>
    public PeftModel? LoadOn(Model model, Invocation run) =>
        run.Get(this) is { } folder ? Load(model, folder) : null;

    /// <summary>Puts an adapter from disk on a model; what does not fit is said of the adapter's folder.</summary>
    public static PeftModel Load(Model model, string folder) => Blame.On(folder, () => PeftModel.Load(model, folder));
}
