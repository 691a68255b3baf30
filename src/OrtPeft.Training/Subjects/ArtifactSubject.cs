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
internal sealed class ArtifactSubject : TrainingSubject
{
    private static readonly FrozenDictionary<string, Opener> Runtimes = new Dictionary<string, Opener>
    {
        [ArtifactRuntimes.Ort] = static (folder, manifest, arguments) =>
            new OrtRuntime(FolderGraphs.Of(folder, manifest), arguments),
        [ArtifactRuntimes.OrtTraining] = static (folder, manifest, arguments) =>
            arguments.Processes.Size == 1
                ? new OrtTrainingRuntime(folder, manifest, arguments)
                : throw new SettingException(
                    "ONNX Runtime's training session cannot share gradients with other processes; write the artifacts for "
                    + "plain sessions, or train with one process."),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private readonly string _folder;
    private readonly ArtifactManifest _manifest;
    private readonly TrainingArguments _arguments;

    private ArtifactSubject(
        ITrainingRuntime runtime,
        string folder,
        ArtifactManifest manifest,
        TrainingArguments arguments,
        IReadOnlyList<BaseFile> files)
        : base(runtime)
    {
        (_folder, _manifest, _arguments) = (folder, manifest, arguments);
        Adapters = IdentityOf(manifest);
        Origin = OriginOf(folder, manifest, arguments);
        Files = files;
    }

    private delegate ITrainingRuntime Opener(string folder, ArtifactManifest manifest, TrainingArguments arguments);

    /// <inheritdoc/>
    public override int VirtualTokens => _manifest.VirtualTokens;

    /// <inheritdoc/>
    public override OptimizerConfig Optimizer => _manifest.AdamW;

    /// <inheritdoc/>
    public override bool BaseDropout => _manifest.BaseDropout;

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Adapters { get; }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Origin { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<BaseFile> Files { get; }

    /// <summary>Opens a folder for training.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="arguments">How to train.</param>
    /// <exception cref="OnnxFormatException">A file is missing or damaged, or this program has no such
    /// runtime.</exception>
    /// <exception cref="SettingException">An argument is fixed by the folder's models.</exception>
    public static TrainingSubject Open(string folder, TrainingArguments arguments)
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

        return Over(
            open(folder, manifest, arguments),
            runtime => new ArtifactSubject(runtime, folder, manifest, arguments, files));
    }

    /// <inheritdoc/>
    /// <remarks>The folder stays as it is.</remarks>
    public override void SetWeights(IReadOnlyDictionary<string, Tensor> weights)
    {
    }

    /// <inheritdoc/>
    public override void Save(string folder, IReadOnlyDictionary<string, Tensor> weights) =>
        AdapterFiles.Save(folder, _manifest.PeftConfig, ToSave(weights));

    /// <summary>Refuses arguments that are already fixed in the folder's models.</summary>
    private static void MustAgree(TrainingArguments arguments, ArtifactManifest manifest)
    {
        var defaults = new TrainingArguments();
        var different = new (bool Is, string What)[]
        {
            (IsOther(arguments.Optimizer, defaults.Optimizer, manifest.AdamW), "optimiser's constants"),
            (IsOther(arguments.BaseDropout, defaults.BaseDropout, manifest.BaseDropout), "base's dropout"),
            (IsOther(arguments.LoraPlusRatio, defaults.LoraPlusRatio, defaults.LoraPlusRatio), "LoRA+ ratio"),
            (!arguments.DecayBiasesAndNorms && manifest.Parameters.Any(IsUnlikeGroups), "decay of biases and norms"),
            (arguments.NeftuneNoiseAlpha is not null, "noise on embeddings"),
            (arguments.Precision == ProductPrecision.Fp16, "precision fp16"),
        };
        if (arguments.LoraPlusEmbeddingRate is not null)
        {
            throw new SettingException(
                "The learning rate of LoRA+ for embeddings cannot be chosen when training from artifacts, whose models take "
                + "one rate; train from the model itself.");
        }

        if (different.FirstOrDefault(static d => d.Is) is { What: { } what })
        {
            throw new SettingException(
                $"The {what} cannot be chosen when training from artifacts: it is part of the models; give it to "
                + "'ortpeft artifacts' and write the folder again.");
        }
    }

    /// <summary>Whether a parameter decays though biases and norms do not, or the other way round.</summary>
    private static bool IsUnlikeGroups(ArtifactParameter parameter) =>
        parameter.IsExemptFromDecay != WeightDecayGroups.IsBiasOrNorm(parameter.Name);

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

    private static Dictionary<string, string> OriginOf(
        string folder, ArtifactManifest manifest, TrainingArguments arguments)
    {
        var origin = new Dictionary<string, string>(StringComparer.Ordinal);
        if (arguments.OutputFolder is not null)
            RunIdentity.Add(origin, folder, manifest);
        return origin;
    }

    private static Dictionary<string, string> IdentityOf(ArtifactManifest manifest)
    {
        var identity = new Dictionary<string, string>(StringComparer.Ordinal);
        AdapterIdentity.Add(identity, manifest.PeftConfig);
        var factors = manifest.Parameters.Select(static p => p.LearningRateFactor).ToArray();
        if (factors.Any(static f => f != 1))
        {
            identity["learning-rate-factors"] =
                string.Join(",", factors.Select(static f => f.ToString(CultureInfo.InvariantCulture)));
        }

        var exempt = manifest.Parameters.Where(static p => p.IsExemptFromDecay).Select(static p => p.Name).ToArray();
        if (exempt.Length > 0)
            identity["exempt-from-decay"] = string.Join(",", exempt);
        return identity;
    }

    /// <summary>Trained weights, or what a model makes of them, beside what is saved without training.</summary>
    private Dictionary<string, Tensor> ToSave(IReadOnlyDictionary<string, Tensor> weights)
    {
        var saved = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        if (_manifest.Files.Weights is { } file)
        {
            foreach (var (name, tensor) in SafetensorsFile.Open(Path.Combine(_folder, file)).Tensors)
                saved[name] = tensor;
        }

        var made = _manifest.Saving is { } saving
            ? SavingSession.Run(_folder, saving, weights, _arguments.Runtime)
            : weights;
        foreach (var name in weights.Keys)
            saved.Remove(name);
        foreach (var (name, tensor) in made)
            saved[name] = tensor;
        return saved;
    }
}
