using System.Runtime.InteropServices;
using OrtPeft.Models.Checkpoints.Packing;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Models.Checkpoints;

/// <summary>Finds an architecture's weights in a checkpoint, whose names may lack the prefix.</summary>
/// <param name="architecture">The architecture.</param>
/// <param name="path">What messages call the checkpoint.</param>
/// <param name="tensors">Its tensors by name.</param>
internal sealed class CheckpointWeights(
    Architecture architecture, string path, IReadOnlyDictionary<string, Tensor> tensors)
{
    private const string OneModel = "use the two files of one model";

    private readonly HashSet<string> _used = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ElementType> _types = new(StringComparer.Ordinal);
    private readonly Dictionary<string, QuantizedTensor> _packed = new(StringComparer.Ordinal);

    /// <summary>The matrices that the files hold in few bits, by the architecture's names.</summary>
    public IReadOnlyDictionary<string, QuantizedTensor> PackedContents => _packed;

    /// <summary>The types of the weights that were found, by the architecture's names.</summary>
    public IReadOnlyDictionary<string, ElementType> StoredTypes => _types;

    /// <summary>The names in the files of the weights that were found, by the architecture's.</summary>
    public IReadOnlyDictionary<string, string> StoredNames => _names;

    /// <summary>The tensors that <see cref="Find"/> had no use for.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> Others =>
        tensors.Where(t => !_used.Contains(t.Key) && !architecture.IsBuffer(Bare(t.Key)));

    public Dictionary<string, Tensor> Find(Action<string>? warn)
    {
        var weights = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var spec in architecture.Weights)
            weights.Add(spec.Name, Packed(spec) ?? Whole(spec) ?? Joined(spec) ?? throw Missing(spec));
        foreach (var repeated in architecture.TiedWeights.Keys)
            Lookup(repeated);
        WarnOfOthers(warn);
        return weights;
    }

    /// <summary>
    /// Whether the file holds different numbers for weights that the description makes one: HF 5 then uses both.
    /// </summary>
    public bool HasTiedWeightsThatDiffer(Action<string>? warn)
    {
        foreach (var (repeated, weight) in architecture.TiedWeights)
        {
            if (Lookup(repeated) is not { } a || Lookup(weight) is not { } b || HasSameNumbers(a, b))
                continue;
            var both = "both are used, as in transformers 5, though tie_word_embeddings is true";
            Warn(warn, $"'{repeated}' differs from '{weight}': {both}");
            return true;
        }

        return false;
    }

    /// <summary>A linear layer's matrix out of few bits.</summary>
    private Tensor? Packed(WeightSpec spec)
    {
        const string End = ".weight";
        if (architecture.Config.Packing is not { } read || spec.Shape.ToStatic() is not [var outputs, var inputs]
            || !spec.Name.EndsWith(End, StringComparison.Ordinal))
            return null;
        var module = spec.Name[..^End.Length];
        var reader = new PackedTensors(path, Lookup);
        if (read(module, checked((int)outputs), checked((int)inputs), reader) is not { } weight)
            return null;
        Lookup(spec.Name);
        _types[spec.Name] = ElementType.Float;
        if (weight.Content is { } content)
            _packed[spec.Name] = content;
        return weight.Float;
    }

    private Tensor? Whole(WeightSpec spec)
    {
        return (Lookup(spec.Name) ?? LookupTied(spec.Name)) is { } tensor
            ? Check(spec.Name, spec.Shape, tensor, spec.Sources?.Names ?? [])
            : null;
    }

    /// <summary>The weight out of the tensors that hold its parts.</summary>
    private Tensor? Joined(WeightSpec spec)
    {
        if (spec.Sources is not { } sources || sources.Names.All(name => Lookup(name) is null))
            return null;
        Shape shape = [.. sources.Dims.Select(static d => (Dim)d)];
        var parts = sources.Names
            .Select(name => Check(name, shape, Lookup(name) ?? throw Missing(new WeightSpec(name, shape)), []))
            .ToList();
        _types[spec.Name] = _types[sources.Names[0]];
        return parts is [var only]
            ? new Tensor(only.Type, only.Dims, only.Data, spec.Name)
            : new Tensor(
                ElementType.Float,
                spec.Shape.ToStatic()!.Value,
                new JoinedTensorData([.. parts.Select(static p => p.Data)]),
                spec.Name);
    }

    /// <summary>The weight under the other name of a tied pair; some files hold that one alone.</summary>
    private Tensor? LookupTied(string name) =>
        architecture.TiedWeights.Where(tied => tied.Value == name).Select(tied => Lookup(tied.Key))
            .FirstOrDefault(static tensor => tensor is not null);

    private Tensor? Lookup(string name)
    {
        if (NamesInFiles(name).FirstOrDefault(tensors.ContainsKey) is not { } stored)
            return null;
        _used.Add(stored);
        _names[name] = stored;
        return tensors[stored];
    }

    private IEnumerable<string> NamesInFiles(string name) =>
    [
        name,
        .. architecture.OldNames.Where(old => name.StartsWith(old.Name, StringComparison.Ordinal))
            .Select(old => old.InFiles + name[old.Name.Length..]),
        Bare(name),
    ];

    private string Bare(string name) =>
        name.StartsWith(architecture.Prefix, StringComparison.Ordinal) ? name[architecture.Prefix.Length..] : name;

    private Tensor Check(string name, Shape shape, Tensor tensor, IEnumerable<string> parts)
    {
        if (!tensor.Shape.Equals(shape))
            throw Broken($"'{name}' is {tensor.Shape}, but config.json makes it {shape}; {OneModel}");
        const string Allowed = "weights must be F32, F16, BF16 or F64: fetch the model before quantization";
        if (!tensor.Type.IsFloating())
            throw Broken($"'{name}' is {tensor.Type}; {Allowed}");
        foreach (var known in parts.Prepend(name))
            _types[known] = tensor.Type;
        return tensor.Widened();
    }

    private OnnxFormatException Missing(WeightSpec spec)
    {
        var packed = $"{spec.Name[..(spec.Name.LastIndexOf('.') + 1)]}qweight";
        return architecture.Config.Packing is null && Lookup(packed) is not null
            ? Broken($"holds '{packed}', a matrix in few bits, and config.json has no {WeightPacking.Section} that says which; "
                + $"put it there (old folders have it in quantize_config.json; quant_method is gptq or awq)")
            : Broken($"lacks the weight '{spec.Name}' {spec.Shape} that config.json asks for; {OneModel}");
    }

    private OnnxFormatException Broken(string what) => new($"{path}: {what}.");

    private void Warn(Action<string>? warn, string what) => warn?.Invoke($"{path}: {what}.");

    private void WarnOfOthers(Action<string>? warn)
    {
        string[] others = [.. Others.Select(static t => t.Key)];
        if (others.Length == 0)
            return;
        var shown = string.Join(", ", others.Take(3).Select(static name => $"'{name}'"));
        var more = others.Length > 3 ? $" and {others.Length - 3} more" : "";
        Warn(warn, architecture.OldNames.Count > 0
            ? $"{shown}{more} read pictures: only the part for texts, a {architecture.Config.ModelType} model, is used"
            : $"{shown}{more} do not belong to a {architecture.Config.ModelType} model: they are ignored");
    }

    private static bool HasSameNumbers(Tensor a, Tensor b)
    {
        if (!a.Type.IsFloating() || !b.Type.IsFloating() || !a.Shape.Equals(b.Shape))
            return false;
        const int Piece = 1 << 18;
        var (left, right) = (a.Widened().Data, b.Widened().Data);
        var ours = new float[Piece / sizeof(float)];
        var theirs = new float[ours.Length];
        for (long offset = 0; offset < left.Length; offset += Piece)
        {
            var count = (int)Math.Min(Piece, left.Length - offset) / sizeof(float);
            left.Read(offset, MemoryMarshal.AsBytes(ours.AsSpan(0, count)));
            right.Read(offset, MemoryMarshal.AsBytes(theirs.AsSpan(0, count)));
            if (!ours.AsSpan(0, count).SequenceEqual(theirs.AsSpan(0, count)))
                return false;
        }

        return true;
    }
}
