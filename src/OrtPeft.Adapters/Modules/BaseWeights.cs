using OrtPeft.Onnx;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Modules;

/// <summary>
/// The base's own weights in an adapter's file. HF PEFT puts those of adapted embeddings and heads there
/// (<c>save_embedding_layers</c>), and both where the vocabulary was resized; loading puts them into the base. Those
/// that the base has anyway are passed over.
/// </summary>
/// <seealso href="https://huggingface.co/docs/peft/package_reference/peft_model">HF PEFT's save_pretrained.</seealso>
internal sealed class BaseWeights
{
    /// <summary>The separators between a module and its parameter: HF PEFT's wrappers, or a dot where there is none.</summary>
    private static readonly string[] Forms = [".base_layer.", ".original_module.", "."];

    private readonly HashSet<string> _names;

    private BaseWeights(IEnumerable<string> names, IReadOnlyDictionary<string, Tensor> others)
    {
        _names = names.ToHashSet(StringComparer.Ordinal);
        Others = others;
    }

    /// <summary>None at all.</summary>
    public static BaseWeights None { get; } = new([], new Dictionary<string, Tensor>());

    /// <summary>Those that take the place of the base's, by their names in the file.</summary>
    public IReadOnlyDictionary<string, Tensor> Others { get; }

    /// <summary>Finds them among tensors that have no place in an adapter.</summary>
    /// <param name="canonicalBase">The base without the adapter.</param>
    /// <param name="injection">The adapter, as it is on that base.</param>
    /// <param name="weights">The file's tensors.</param>
    /// <param name="source">What messages call the file.</param>
    /// <exception cref="ConfigException">One is not the base's, and nobody could tell what it is for.</exception>
    public static BaseWeights Find(
        Model canonicalBase, Injection injection, IReadOnlyDictionary<string, Tensor> weights, string source)
    {
        var own = injection.Parameters.Concat(injection.Buffers)
            .SelectMany(static p => p.AllNames).ToHashSet(StringComparer.Ordinal);
        var rest = weights.Where(w => !own.Contains(w.Key)).ToList();
        if (rest.Count == 0)
            return None;
        var all = SavedModules.All(canonicalBase.Graph);
        var ofBase = rest.Select(w => (Name: w.Key, Tensor: w.Value, Place: Find(all, w.Key)))
            .Where(static w => w.Place is not null).ToList();
        var others = ofBase
            .Where(w => StartsFromBase(injection, w.Place!.Module) || !IsSame(w.Place!, w.Tensor))
            .ToDictionary(
                static w => w.Name,
                w => BaseWeightCheck.Checked(w.Name, w.Tensor, w.Place!, injection, source),
                StringComparer.Ordinal);
        var found = new BaseWeights(ofBase.Select(static w => w.Name), others);
        found.CheckTies(canonicalBase, source);
        return found;
    }

    /// <summary>The file's tensors without these.</summary>
    public IReadOnlyDictionary<string, Tensor> Without(IReadOnlyDictionary<string, Tensor> weights) =>
        _names.Count == 0
            ? weights
            : weights.Where(w => !_names.Contains(w.Key)).ToDictionary(StringComparer.Ordinal);

    /// <summary>Puts them into a copy of the base; what is tied stays tied, as in HF PEFT.</summary>
    public void ApplyTo(Model model)
    {
        if (Others.Count == 0)
            return;
        foreach (var (place, content) in Places(model).ToList())
            place.Replace(model.Graph, content);
    }

    /// <summary>Whether a name is that of a tensor which a module's base weight replaces, such as PiSSA's
    /// start.</summary>
    public bool Replaces(string buffer) => Others.Keys.Any(name => ModuleIn(name) is { } module
        && HfName.PartOf(buffer, module) is not null);

    private static string? ModuleIn(string name) => Forms.Select(form => $"{form}weight")
        .Where(end => name.EndsWith(end, StringComparison.Ordinal))
        .Select(end => name[HfName.Root.Length..^end.Length]).FirstOrDefault();

    private static SavedParameter? Find(IReadOnlyList<SavedParameter> all, string name) =>
        all.FirstOrDefault(p => Forms.Any(form => name == HfName.Of($"{p.Module}{form}{p.Kind}")));

    private IEnumerable<(SavedParameter Place, Tensor Content)> Places(Model model)
    {
        var all = SavedModules.All(model.Graph);
        foreach (var (name, content) in Others)
        {
            var place = Find(all, name)!;
            yield return (place, content);
            if (TiedCopy(model, place) is { } copy)
                yield return (copy, content);
        }
    }

    /// <summary>The head or embedding that an exporter stored once more; null where one matrix serves both.</summary>
    private static SavedParameter? TiedCopy(Model model, SavedParameter place)
    {
        foreach (var embedding in EmbeddingCatalogue.Embeddings(model.Graph))
        {
            if (TiedHead.Of(model, embedding) is not { } head || head.Weight == embedding.Weight)
                continue;
            if (embedding.Weight == place.Value)
                return SavedParameter.Of(head).First();
            if (head.Weight == place.Value)
                return SavedParameter.Of(embedding);
        }

        return null;
    }

    private static bool StartsFromBase(Injection injection, string module) => injection.Buffers.Any(b =>
        HfName.IsStart(b.Name) && HfName.PartOf(b.Name, module) is not null);

    private static bool IsSame(SavedParameter place, Tensor tensor) =>
        QuantizedWeight.Find(place.Value) is null && tensor.Type.IsFloating()
        && place.Content() is var own && own.Dims.SequenceEqual(tensor.Dims)
        && own.ToFloat32().AsSpan().SequenceEqual(tensor.ToFloat32());

    /// <summary>Of two names for one tied matrix, HF PEFT would keep what it reads last.</summary>
    private void CheckTies(Model canonicalBase, string source)
    {
        if (Others.Count < 2)
            return;
        var byPlace = Others.Zip(Others.Select(o => Find(SavedModules.All(canonicalBase.Graph), o.Key)!)).ToList();
        foreach (var (other, place) in byPlace)
        {
            var twin = TiedCopy(canonicalBase, place)?.Value ?? place.Value;
            var second = byPlace.FirstOrDefault(o => o.Second != place
                && (o.Second.Value == place.Value || o.Second.Value == twin)
                && !o.First.Value.ToFloat32().AsSpan().SequenceEqual(other.Value.ToFloat32())).First.Key;
            if (second is not null)
                throw ConfigException.At(
                    source, $"'{other.Key}' and '{second}' are one matrix in this base and differ; keep one.");
        }
    }
}
