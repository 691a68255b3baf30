using System.CommandLine;
using OrtPeft.Adapters;
using OrtPeft.Cli.Commands;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;

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

    /// <summary>The model with the adapter's nodes in it, dropout off, or as it is where none is given.</summary>
    public Model ApplyTo(Model model, Invocation run)
    {
        if (run.Get(this) is not { } folder)
            return model;
        var adapted = PeftModel.Load(model, folder).Model;
        DropoutLowering.ForEvaluation(adapted);
        return adapted;
    }
}
