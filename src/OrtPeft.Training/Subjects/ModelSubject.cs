using OrtPeft.Adapters;
using OrtPeft.Adapters.Artifacts.Objectives;
using OrtPeft.Training.Runtime;

namespace OrtPeft.Training.Subjects;

/// <summary>An adapted model in memory, trained through portable graphs.</summary>
internal static class ModelSubject
{
    public static TrainingSubject Create(PeftModel model, IObjective? objective, TrainingArguments arguments) => new()
    {
        Runtime = new OrtRuntime(ModelGraphs.Of(model, objective ?? new CausalLm(), arguments), arguments),
        VirtualTokens = model.VirtualTokens,
        Optimizer = arguments.Optimizer,
        BaseDropout = arguments.BaseDropout,
        Adapters = Identity(model),
        SetWeights = weights => model.SetWeights(weights),
        Save = (folder, weights) =>
        {
            model.SetWeights(weights);
            model.Save(folder);
        },
    };

    /// <summary>Of several adapters each counts, under its name.</summary>
    private static Dictionary<string, string> Identity(PeftModel model)
    {
        var identity = new Dictionary<string, string>(StringComparer.Ordinal);
        var names = model.ActiveAdapterNames;
        foreach (var name in names)
            AdapterIdentity.Add(identity, model.ConfigOf(name).ToJson(), names.Count == 1 ? "" : $"{name}.");
        return identity;
    }
}
