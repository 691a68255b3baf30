using OrtPeft.Onnx;
using OrtPeft.Onnx.Safetensors;

namespace OrtPeft.Models.Checkpoints;

/// <summary>Finds an architecture's weights in a checkpoint, whose names may lack the prefix.</summary>
internal sealed class CheckpointWeights(Architecture architecture, SafetensorsCheckpoint checkpoint)
{
    private const string OneModel = "use the two files of one model";

    private readonly HashSet<string> _used = new(StringComparer.Ordinal);

    public Dictionary<string, Tensor> Find(Action<string>? warn)
    {
        var weights = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var spec in architecture.Weights)
            weights.Add(spec.Name, Check(spec, Lookup(spec.Name) ?? throw Missing(spec)));
        foreach (var (repeated, weight) in architecture.TiedWeights)
        {
            if (Lookup(repeated) is { } tensor && !SameBytes(tensor, Lookup(weight)!))
                Warn(warn, $"'{repeated}' differs from '{weight}', its tied weight: it is ignored, as in HF");
        }

        WarnOfOthers(warn);
        return weights;
    }

    private Tensor? Lookup(string name)
    {
        var bare = Bare(name);
        if (!checkpoint.Tensors.TryGetValue(name, out var tensor) && !checkpoint.Tensors.TryGetValue(bare, out tensor))
            return null;
        _used.Add(checkpoint.Tensors.ContainsKey(name) ? name : bare);
        return tensor;
    }

    private string Bare(string name) =>
        name.StartsWith(architecture.Prefix, StringComparison.Ordinal) ? name[architecture.Prefix.Length..] : name;

    private Tensor Check(WeightSpec spec, Tensor tensor)
    {
        if (!tensor.Shape.Equals(spec.Shape))
            throw Broken($"'{spec.Name}' is {tensor.Shape}, but config.json makes it {spec.Shape}; {OneModel}");
        const string Allowed = "weights must be F32, F16, BF16 or F64: fetch the model before quantization";
        if (!tensor.Type.IsFloating())
            throw Broken($"'{spec.Name}' is {tensor.Type}; {Allowed}");
        return WidenedTensorData.Widen(tensor);
    }

    private OnnxFormatException Missing(WeightSpec spec) =>
        Broken($"lacks the weight '{spec.Name}' {spec.Shape} that config.json asks for; {OneModel}");

    private OnnxFormatException Broken(string what) => new($"{checkpoint.Path}: {what}.");

    private void Warn(Action<string>? warn, string what) => warn?.Invoke($"{checkpoint.Path}: {what}.");

    private void WarnOfOthers(Action<string>? warn)
    {
        var others = checkpoint.Tensors.Keys
            .Where(name => !_used.Contains(name) && !architecture.IsBuffer(Bare(name)))
            .ToArray();
        if (others.Length == 0)
            return;
        var shown = string.Join(", ", others.Take(3).Select(static name => $"'{name}'"));
        var more = others.Length > 3 ? $" and {others.Length - 3} more" : "";
        Warn(warn, $"{shown}{more} do not belong to a {architecture.Config.ModelType} model: they are ignored");
    }

    private static bool SameBytes(Tensor a, Tensor b)
    {
        if (a.Type != b.Type || !a.Shape.Equals(b.Shape))
            return false;
        const int Piece = 1 << 18;
        var left = new byte[Piece];
        var right = new byte[Piece];
        for (long offset = 0; offset < a.Data.Length; offset += Piece)
        {
            var count = (int)Math.Min(Piece, a.Data.Length - offset);
            a.Data.Read(offset, left.AsSpan(0, count));
            b.Data.Read(offset, right.AsSpan(0, count));
            if (!left.AsSpan(0, count).SequenceEqual(right.AsSpan(0, count)))
                return false;
        }

        return true;
    }
}
