using OrtPeft.Adapters;
using OrtPeft.Artifacts;
using OrtPeft.Compilation.Artifacts;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Compilation.Rewrites;
using OrtPeft.Onnx;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Compilation.Portable;

/// <summary>
/// Writes what any ONNX Runtime build trains with, in any language: models of standard operators, initial weights, and
/// a manifest that names every input, output and parameter. The folder holds all it needs and can be moved.
/// </summary>
public static class PortableArtifacts
{
    private const long EmbedUpTo = 16L << 20;

    /// <summary>
    /// Writes a folder. Files take their places when all are written; a failure before leaves the folder as it was.
    /// </summary>
    /// <param name="peft">The adapted model with its initial weights; one active adapter.</param>
    /// <param name="objective">What to minimise.</param>
    /// <param name="options">What is decided now rather than in training.</param>
    /// <param name="folder">Where to; created if missing. Files of an earlier set are replaced or removed.</param>
    /// <returns>The manifest.</returns>
    /// <exception cref="ConfigException">Several adapters are active, or none; weights of over 2 GiB are to be
    /// embedded; something is asked for that only the training API has; or nothing stands in for an operator that is
    /// lacking.</exception>
    /// <exception cref="UnsupportedOpException">An operator on the way from a parameter to the loss has no
    /// gradient.</exception>
    /// <exception cref="IOException">The disk is full or the folder cannot be written.</exception>
    public static ArtifactManifest Write(
        PeftModel peft, IObjective objective, ArtifactSettings options, string folder)
    {
        ArgumentNullException.ThrowIfNull(peft);
        ArgumentNullException.ThrowIfNull(objective);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(folder);
        ArtifactLimits.RequireOneForm(peft);
        RequirePortable(options);
        var parameters = PortableParameters.Of(peft, options.LearningRateFactor, options.IsExemptFromDecay);
        var training = TrainingGraph.Build(
            peft, objective, new TrainingGraphOptions { BaseDropout = options.BaseDropout, MasksLabels = options.MasksLabels });
        var evaluation = EvaluationGraph.Build(peft, objective, options.EvaluationPredictions);
        var optimizer = OptimizerGraph.Build(parameters.All, options.Optimizer);
        var saving = SavingGraph.Build(peft);
        foreach (var graph in (CompiledGraph[])[training, evaluation, optimizer])
            StandIns.Put(graph.Model, options.LackedOperators);
        var dataFile = IsEmbedded(training.Model, options.Frozen) ? null : ArtifactFiles.FrozenWeights;
        var manifest = new ArtifactManifest
        {
            Runtime = ArtifactRuntimes.Ort,
            Objective = objective.Name,
            Base = BaseFacts.Of(options.Base, peft, training.Model.Opset),
            PeftConfig = peft.Config.ToJson(),
            VirtualTokens = peft.VirtualTokens,
            ReservedPositions = peft.ReservedPositions,
            BaseDropout = options.BaseDropout,
            Files = new ArtifactFiles
            {
                Weights = AdapterFiles.Weights,
                Config = AdapterFiles.Config,
                ExternalData = dataFile is null ? [] : [dataFile],
            },
            Training = training.In(ArtifactFiles.TrainingModel),
            Evaluation = evaluation.In(ArtifactFiles.EvaluationModel),
            Optimizer = optimizer.In(ArtifactFiles.OptimizerModel),
            Saving = saving?.In(ArtifactFiles.SavingModel),
            Parameters = parameters.All,
            FlatLength = parameters.FlatLength,
            AdamW = options.Optimizer,
        };
        using var stage = new StagedFolder(folder);
        ArtifactModels.Save(
            stage.Path, training.Model, evaluation.Model, optimizer.Model, saving?.Model, dataFile);
        AdapterFiles.Save(stage.Path, manifest.PeftConfig, InitialWeights(peft));
        manifest.Save(stage.Path);
        stage.Commit(ArtifactFiles.Names);
        return manifest;
    }

    /// <summary>
    /// The parameters and the tensors saved beside them; of an encoder its parameters, which files of HF PEFT do not
    /// hold.
    /// </summary>
    private static IReadOnlyDictionary<string, Tensor> InitialWeights(PeftModel peft) =>
        peft.Computed.Count > 0 ? peft.GetWeights() : peft.Adapters.SavedWeightsOf(peft.Adapters.ActiveNames[0]);

    private static bool IsEmbedded(Model training, FrozenWeights? frozen)
    {
        var bytes = ArtifactLimits.FrozenBytes(training, mustEmbed: frozen == FrozenWeights.Embed);
        return frozen is null ? bytes <= EmbedUpTo : frozen == FrozenWeights.Embed;
    }

    private static void RequirePortable(ArtifactSettings options)
    {
        if (options.Frozen == FrozenWeights.Checkpoint)
            throw new ConfigException(
                "The frozen weights are to stand in the checkpoint, which plain sessions do not read; embed them, or "
                + "take a file.");
        if (options.FoldedLearningRate is not null)
            throw new ConfigException(
                "A learning rate is to be folded in, and plain sessions are told theirs at each step; leave it out.");
        if (options.LackedOperators.FirstOrDefault(static op => !StandIns.Operators.Contains(op)) is { } unknown)
            throw new ConfigException(
                $"LackedOperators names '{unknown}', which nothing stands in for; choose from "
                + $"{string.Join(", ", StandIns.Operators)}.");
    }
}
