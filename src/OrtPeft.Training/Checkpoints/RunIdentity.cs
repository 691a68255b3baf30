using OrtPeft.Artifacts;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Training.Checkpoints;

/// <summary>The state that a run begins with, hashed in its checkpoints: another base or another start is another
/// run.</summary>
internal static class RunIdentity
{
    /// <summary>The base: its graph and every byte of its weights.</summary>
    public const string Base = "base";

    /// <summary>The weights that an adapter began with, unless a seed gave them.</summary>
    public const string InitialWeights = "initial-weights";

    /// <summary>The files of an artifact folder; a run in memory has none, and each can go on from the other.</summary>
    public const string Artifacts = "artifacts";

    /// <summary>The precision of products with frozen weights.</summary>
    public const string Precision = "precision";

    /// <summary>Whose kernel multiplies with frozen weights. A resumed run takes it over where it can: nothing is
    /// refused for it.</summary>
    public const string Products = "products";

    /// <summary>How many steps the run has.</summary>
    public const string Steps = "steps";

    /// <summary>The length of packs.</summary>
    public const string Packing = "pack-length";

    /// <summary>The noise on embeddings.</summary>
    public const string Noise = "neftune-noise-alpha";

    /// <summary>The optimiser.</summary>
    public const string Optimizer = "optim";

    /// <summary>The value of a setting when checkpoints did not have it; null for one that they always had.</summary>
    public static string? Before(string name) => name switch
    {
        Precision => ProductPrecision.Float32,
        Packing or Noise => "none",
        Optimizer => new AdamWConfig().Name,
        _ => null,
    };

    /// <summary>Says what differs, and what to do; null for an ordinary setting.</summary>
    public static string? Describe(string name) => name switch
    {
        Base => "was written in training another base model (its graph or its weights differ); resume with the base "
            + "that the run began with",
        InitialWeights => "was written by a run that began from another adapter; resume with the adapter that "
            + "it began with",
        Artifacts => "was written in training other artifacts (a file of the folder differs); resume with the folder "
            + "that the run began with",
        _ => null,
    };

    /// <summary>Adds what artifacts say of themselves, and what their files hold.</summary>
    public static void Add(IDictionary<string, string> identity, string folder, ArtifactManifest manifest)
    {
        if (manifest.Base.Fingerprint is { } fingerprint)
            identity[Base] = fingerprint;
        if (manifest.Base.InitialWeights is { } weights)
            identity[InitialWeights] = weights;
        var hash = new ContentHash();
        foreach (var file in manifest.AllFiles.Order(StringComparer.Ordinal).Distinct())
        {
            hash.Add(file);
            hash.AddFile(Path.Combine(folder, file));
        }

        identity[Artifacts] = hash.Text;
    }
}
