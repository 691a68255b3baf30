using System.CommandLine;
using OrtPeft.Adapters;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Files;
using OrtPeft.Cli.Reporting;
using OrtPeft.Onnx;

namespace OrtPeft.Cli.Options;

/// <summary>The adapters to put on the model: one, or several that add to their layers' results.</summary>
internal sealed class AdapterOption : Option<string[]>
{
    public AdapterOption()
        : base("--adapter")
    {
        Description = $"A folder with {AdapterFolder.ConfigFile} and {AdapterFolder.WeightsFile}; repeat to "
            + "apply several, whose effects add up.";
        HelpName = "DIR";
    }

    /// <summary>The model with the adapters, or null where none is given.</summary>
    public PeftModel? LoadOn(Model model, Invocation run) =>
        run.Get(this) is { Length: > 0 } folders ? Load(model, AdapterPlace.Of(folders), run) : null;

    /// <summary>Puts adapters from disk on a model, all of them active; what does not fit is said of its
    /// folder.</summary>
    public static PeftModel Load(Model model, IReadOnlyList<AdapterPlace> places, Invocation run)
    {
        var peft = LoadApart(model, places, run);
        peft.Adapters.Set([.. places.Select(static p => p.Name)]);
        return peft;
    }

    /// <summary>Puts adapters from disk on a model, the first of them active.</summary>
    public static PeftModel LoadApart(Model model, IReadOnlyList<AdapterPlace> places, Invocation run)
    {
        var first = places[0];
        var peft = Blame.On(first.Folder, () => PeftModel.Load(model, first.Folder, first.Name));
        foreach (var place in places.Skip(1))
            Blame.On(place.Folder, () => Added(peft, place));
        foreach (var place in places)
        {
            UnknownFields.Warn(run, place.Folder, peft.Adapters.ConfigOf(place.Name));
            UnmatchedFields.WarningOf(run, place.Folder)(peft.Adapters.UnmatchedOf(place.Name));
            ReplacedBase.Warn(run, place.Folder, peft, place.Name);
        }

        return peft;
    }

    private static PeftModel Added(PeftModel peft, AdapterPlace place)
    {
        peft.Adapters.Load(place.Name, place.Folder);
        return peft;
    }
}
