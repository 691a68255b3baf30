using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Lora;

/// <summary>
/// The equal parts of a fused layer's outputs that are adapted, each by an A and a B of its own. As one matrix product
/// that is B with each part's rows and columns in their place and zeros elsewhere, [out, r·n].
/// </summary>
/// <seealso href="https://github.com/microsoft/LoRA/blob/main/loralib/layers.py">loralib's MergedLinear, whose
/// <c>enable_lora</c> and shapes these are.</seealso>
internal sealed class EnabledParts
{
    private readonly IReadOnlyList<int> _enabled;
    private readonly int _parts;

    private EnabledParts(IReadOnlyList<bool> flags)
    {
        _parts = flags.Count;
        _enabled = [.. flags.Index().Where(static f => f.Item).Select(static f => f.Index)];
    }

    /// <summary>The number of parts with an A and a B.</summary>
    public int Count => _enabled.Count;

    /// <summary>The parts of a configuration, or null where layers are adapted as one.</summary>
    public static EnabledParts? Of(LoraConfig config) => config.EnableLora is { } flags ? new(flags) : null;

    /// <summary>The rows of B for a layer of so many outputs.</summary>
    public int RowsOfB(int outFeatures) => outFeatures / _parts * Count;

    /// <summary>An error where a layer's outputs do not fall into so many parts.</summary>
    public void Check(LoraTarget target)
    {
        if (target is EmbeddingTarget)
            throw new ConfigException(
                $"enable_lora takes linear layers apart, and {target.Name} is an embedding; leave one out.");
        if (target.OutFeatures % _parts != 0)
            throw new ConfigException(
                $"enable_lora has {_parts} entries, one for each equal part of a layer's outputs, but {target.Name} "
                + $"makes {target.OutFeatures} features; leave the layer out of target_modules, or give as many "
                + "entries as it has parts.");
    }

    /// <summary>B [n·out/parts, r] as [out, r·n], in the graph.</summary>
    public Value Widened(GraphBuilder g, Value b)
    {
        var (rows, r) = (b.Shape![0].Value!.Value / Count, b.Shape[1].Value!.Value);
        var pieces = Count == 1 ? [b] : g.Split(b, 0, [.. Enumerable.Repeat(rows, Count)]);
        Value? sum = null;
        foreach (var (i, part) in _enabled.Index())
        {
            var pads = g.Int64(part * rows, i * r, (_parts - 1 - part) * rows, (Count - 1 - i) * r);
            var placed = g.Op("Pad", pieces[i], pads, g.ScalarLike(b, 0));
            sum = sum is null ? placed : g.Add(sum, placed);
        }

        return sum!;
    }

    /// <summary>The same of numbers.</summary>
    public Tensor Widened(Tensor b)
    {
        var (rows, r) = ((int)b.Dims[0] / Count, (int)b.Dims[1]);
        var values = b.ToFloat32();
        var wide = new float[rows * _parts * r * Count];
        for (var row = 0; row < rows * Count; row++)
        {
            var i = row / rows;
            var to = ((((_enabled[i] * rows) + (row % rows)) * Count) + i) * r;
            values.AsSpan(row * r, r).CopyTo(wide.AsSpan(to, r));
        }

        return Tensor.Of<float>(wide, [rows * _parts, r * Count]);
    }
}
