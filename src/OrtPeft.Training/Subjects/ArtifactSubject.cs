using System.Collections.Frozen;
using System.Globalization;
using OrtPeft.Artifacts;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;
using OrtPeft.Tensors.Storage;
using OrtPeft.Training.Checkpoints;
using OrtPeft.Training.Runtime;

namespace OrtPeft.Training.Subjects;

/// <summary>An artifact folder, trained by the runtime that it was written for.</summary>
internal static class ArtifactSubject
{
    private static readonly FrozenDictionary<string, Opener> Runtimes = new Dictionary<string, Opener>
    {
        [ArtifactRuntimes.Ort] = static (folder, manifest, arguments) =>
            new OrtRuntime(FolderGraphs.Of(folder, manifest), arguments),
        [ArtifactRuntimes.OrtTraining] = static (folder, manifest, arguments) =>
            new OrtTrainingRuntime(folder, manifest, arguments),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private delegate ITrainingRuntime Opener(string folder, ArtifactManifest manifest, TrainingArguments arguments);

    public static TrainingSubject Create(string folder, TrainingArguments arguments)
    {
        var manifest = ArtifactManifest.Load(folder);
        MustAgree(arguments, manifest);
        MustBeThere(folder, manifest);
        BaseFile[] files = [.. manifest.AllFiles.Select(name => Path.Combine(folder, name))
            .Select(static file => new BaseFile(file, FileState.Of(file)))];
        if (!Runtimes.TryGetValue(manifest.Runtime, out var open))
        {
            throw new OnnxFormatException(
                $"{Path.Combine(folder, ArtifactManifest.FileName)}: runtime is '{manifest.Runtime}'; this program has "
                + $"{string.Join(", ", Runtimes.Keys.Order())}: update it, or write the artifacts again.");
        }

        return TrainingSubject.Over(open(folder, manifest, arguments), runtime => new()
        {
            Runtime = runtime,
            VirtualTokens = manifest.VirtualTokens,
            Optimizer = manifest.AdamW,
            BaseDropout = manifest.BaseDropout,
            Adapters = Identity(manifest),
            Origin = Origin(folder, manifest, arguments),
            Files = files,
            SetWeights = static _ => { },
            Save = (target, weights) =>
                AdapterFiles.Save(target, manifest.PeftConfig, ToSave(folder, manifest, weights, arguments)),
        });
    }

    /// <summary>What is part of the folder's models cannot be chosen any more.</summary>
    private static void MustAgree(TrainingArguments arguments, ArtifactManifest manifest)
    {
        var defaults = new TrainingArguments();
        var different = new (bool Is, string What)[]
        {
            (IsOther(arguments.Optimizer, defaults.Optimizer, manifest.AdamW), "optimiser's constants"),
            (IsOther(arguments.BaseDropout, defaults.BaseDropout, manifest.BaseDropout), "base's dropout"),
            (IsOther(arguments.LoraPlusRatio, defaults.LoraPlusRatio, defaults.LoraPlusRatio), "LoRA+ ratio"),
            (arguments.LoraPlusEmbeddingRate is not null, "learning rate of LoRA+ for embeddings"),
        };
        if (different.FirstOrDefault(static d => d.Is) is { What: { } what })
        {
            throw new SettingException(
                $"The {what} cannot be chosen when training from artifacts: it is part of the models; give it to "
                + "'ortpeft artifacts' and write the folder again.");
        }
    }

    private static bool IsOther<T>(T given, T byDefault, T inFolder)
        where T : IEquatable<T> => !given.Equals(byDefault) && !given.Equals(inFolder);

    private static void MustBeThere(string folder, ArtifactManifest manifest)
    {
        foreach (var file in manifest.AllFiles.Select(name => Path.Combine(folder, name)))
        {
            if (!File.Exists(file))
                throw new OnnxFormatException(
                    $"{file} does not exist, and {ArtifactManifest.FileName} names it; copy the whole folder.");
        }
    }

    private static Dictionary<string, string> Origin(
        string folder, ArtifactManifest manifest, TrainingArguments arguments)
    {
        var origin = new Dictionary<string, string>(StringComparer.Ordinal);
        if (arguments.OutputFolder is not null)
            RunIdentity.Add(origin, folder, manifest);
        return origin;
    }

    private static Dictionary<string, string> Identity(ArtifactManifest manifest)
    {
        var identity = new Dictionary<string, string>(StringComparer.Ordinal);
        AdapterIdentity.Add(identity, manifest.PeftConfig);
        var factors = manifest.Parameters.Select(static p => p.LearningRateFactor).ToArray();
        if (factors.Any(static f => f != 1))
        {
            identity["learning-rate-factors"] =
                string.Join(",", factors.Select(static f => f.ToString(CultureInfo.InvariantCulture)));
        }

        return identity;
    }

    /// <summary>Trained weights, or what a model makes of them, beside what is saved without training.</summary>
    private static Dictionary<string, Tensor> ToSave(
        string folder,
        ArtifactManifest manifest,
        IReadOnlyDictionary<string, Tensor> weights,
        TrainingArguments arguments)
    {
        var saved = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        if (manifest.Files.Weights is { } file)
        {
            foreach (var (name, tensor) in SafetensorsFile.Open(Path.Combine(folder, file)).Tensors)
                saved[name] = tensor;
        }

        var made = manifest.Saving is { } saving
            ? SavingSession.Run(folder, saving, weights, arguments.Runtime)
            : weights;
        foreach (var name in weights.Keys)
            saved.Remove(name);
        foreach (var (name, tensor) in made)
            saved[name] = tensor;
        return saved;
    }
}
