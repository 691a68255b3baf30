using OrtPeft.Adapters;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Training.Checkpoints;
using OrtPeft.Training.Runtime;

namespace OrtPeft.Training.Subjects;

/// <summary>An adapted model in memory, trained through portable graphs.</summary>
internal static class ModelSubject
{
    /// <summary>Opens the model for training.</summary>
    /// <param name="model">The adapted model.</param>
    /// <param name="objective">What to minimise; next-token cross-entropy when left out.</param>
    /// <param name="arguments">How to train.</param>
    /// <param name="onRows">Whether it is trained on rows of tokens and nothing else.</param>
    /// <exception cref="GraphException">The model does not train on such rows.</exception>
    public static TrainingSubject Create(
        PeftModel model, IObjective? objective, TrainingArguments arguments, bool onRows) =>
        TrainingSubject.Over(Open(model, objective ?? new CausalLm(), arguments, onRows), runtime => new()
        {
            Runtime = runtime,
            VirtualTokens = model.VirtualTokens,
            Optimizer = arguments.Optimizer,
            BaseDropout = arguments.BaseDropout,
            Adapters = Identity(model),
            Origin = arguments.OutputFolder is null ? new Dictionary<string, string>() : Origin(model),
            Files = Files(model.Base),
            SetWeights = model.SetTrained,
            Save = (folder, weights) =>
            {
                model.SetTrained(weights);
                model.Save(folder);
            },
        });

    private static OrtRuntime Open(
        PeftModel model, IObjective objective, TrainingArguments arguments, bool onRows)
    {
        var graphs = ModelGraphs.Of(model, objective, arguments, graph =>
        {
            if (onRows && objective is CausalLm)
                ModelVerdict.Require(model, graph, arguments.Runtime);
        });
        return new OrtRuntime(graphs, arguments);
    }

    private static Dictionary<string, string> Origin(PeftModel model) => new(StringComparer.Ordinal)
    {
        [RunIdentity.Base] = ModelFingerprint.Of(model.Base),
        [RunIdentity.InitialWeights] = model.Origin,
    };

    private static IReadOnlyList<BaseFile> Files(Model model) =>
    [
        .. model.Graph.Initializers.SelectMany(static v => v.Initializer!.Data.Files).Distinct()
            .Select(static file => new BaseFile(file.Path, file.State)),
    ];

    /// <summary>Of several adapters each counts, under its name.</summary>
    private static Dictionary<string, string> Identity(PeftModel model)
    {
        var identity = new Dictionary<string, string>(StringComparer.Ordinal);
        var names = model.Adapters.ActiveNames;
        foreach (var name in names)
            AdapterIdentity.Add(identity, model.Adapters.ConfigOf(name).ToJson(), names.Count == 1 ? "" : $"{name}.");
        return identity;
    }
}
