using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Onnx.Passes;

/// <summary>
/// Takes products apart that ONNX Runtime GenAI's builder packed: where HF has a layer each for queries, keys and
/// values, the builder's graph has one whose result is split. Each part becomes a product of its own with its columns of
/// the weight, so that it is a module under HF's name.
/// </summary>
internal static class PackedProjections
{
    /// <summary>Runs the pass in place.</summary>
    /// <param name="model">The model, its quantised weights read by <c>DequantizeLinear</c>.</param>
    public static void Run(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var graph = model.Graph;
        if (BuilderNames.Of(graph) is not { } names)
            return;
        GraphBuilder? g = null;
        foreach (var node in graph.Nodes.Where(static n => n.Is("MatMul")).ToArray())
        {
            if (PartsOf(node, names) is { } parts)
                Unpack(g ??= GraphBuilder.Over(model), parts);
        }

        if (g is not null)
            graph.RemoveDeadCode();
    }

    /// <summary>A packed product, and what reads its parts.</summary>
    private sealed record Packing(
        Node Product, Value? Bias, Value? Beside, string Path, IReadOnlyList<string> Names, Value[] Results, int[] Widths);

    private static Packing? PartsOf(Node product, BuilderNames names)
    {
        if (ModuleOf(product, names) is not { } path)
            return null;
        var row = BuilderNames.PackedLayers.FirstOrDefault(r => path.EndsWith($".{r.Packed}", StringComparison.Ordinal));
        if (row.Parts is null || names.IsPackedInHf(row.Packed) || product.Input(1) is not { } weight
            || ConstantWeight.DimsOf(weight) is not [_, var width])
            return null;
        var (bias, made) = BiasOf(product, width);
        var (beside, result) = BesideOf(made);
        var canBeCut = QuantizedWeight.Find(weight) is not { } few || few.Content is { Axis: 0, CodeBook: null };
        return canBeCut && Split(result, row.Parts.Count, width) is var (results, widths)
            ? new Packing(product, bias, beside, path[..^row.Packed.Length], row.Parts, results, widths)
            : null;
    }

    /// <summary>The value that is added to a packed layer's result alone, such as LoRA's products, and the sum; where nothing
    /// is, null and the result.</summary>
    private static (Value? Beside, Value Result) BesideOf(Value made) =>
        AddedTo(made) is ({ Constant: null, Shape: { } shape } other, var sum) && shape.Rank == made.Shape?.Rank
        && shape[shape.Rank - 1].Value == made.Shape[shape.Rank - 1].Value
            ? (other, sum)
            : (null, made);

    /// <summary>The vector that is added to a product alone, and the sum; where none is, null and the product.</summary>
    internal static (Value? Bias, Value Result) BiasOf(Node product, long width) =>
        AddedTo(product.Output) is ({ Initializer.Dims: [var length] } bias, var sum) && length == width
            ? (bias, sum)
            : (null, product.Output);

    /// <summary>The term that is all that reads a value, and the sum.</summary>
    private static (Value Term, Value Sum)? AddedTo(Value value) =>
        value is { IsGraphOutput: false, Uses: [{ Node: var add, Index: var index }] } && add.Is("Add")
            ? (add.Inputs[1 - index]!, add.Output)
            : null;

    /// <summary>The module by the scope in the node's name.</summary>
    internal static string? ModuleOf(Node product, BuilderNames names)
    {
        var end = product.Name.LastIndexOf('/');
        return end <= 0 ? null : names.ToHf(product.Name[1..end].Replace('/', '.'));
    }

    private static (Value[] Results, int[] Widths)? Split(Value packed, int count, long width)
    {
        if (packed.IsGraphOutput || packed.Uses.Count == 0)
            return null;
        var node = packed.Uses[0].Node;
        var last = (packed.Shape?.Rank ?? node.Outputs.Select(static o => o.Shape?.Rank).FirstOrDefault()) - 1;
        var axis = node.Attributes.Int("axis", 0);
        var isWhole = packed.Uses.Count == 1 && node.Is("Split") && node.Outputs.Count == count
            && (axis == -1 || axis == last);
        if (!isWhole)
            return null;
        var lengths = node.Input(1) is null
            ? Enumerable.Repeat(width / count, count).ToArray()
            : node.Input(1)!.Constant?.ToInt64();
        return lengths is not null && lengths.Length == count && lengths.Sum() == width
            ? ([.. node.Outputs], [.. lengths.Select(static l => (int)l)])
            : null;
    }

    private static void Unpack(GraphBuilder g, Packing packing)
    {
        var (product, first) = (packing.Product, 0);
        var reader = packing.Results[0].Producer!;
        (g.Before, g.Scope) = (reader, product.Name);
        var beside = packing.Beside is { } sum ? g.Split(sum, -1, [.. packing.Widths.Select(static w => (long)w)]) : null;
        foreach (var (index, result) in packing.Results.Index())
        {
            var (path, width) = (packing.Path + packing.Names[index], packing.Widths[index]);
            var weight = Part(g, product.Inputs[1]!, $"{path}.weight", first, width);
            (g.Before, g.Scope) = (product, $"/{path}");
            var part = g.MatMul(product.Inputs[0]!, weight);
            if (packing.Bias is { } bias)
                part = g.Add(part, Part(g, bias, $"{path}.bias", first, width));
            g.Before = reader;
            Replacement.Replace(g, result, beside is null ? part : g.Add(part, beside[index]));
            first += width;
        }

        g.Before = null;
    }

    private static Value Part(GraphBuilder g, Value whole, string name, int first, int width)
    {
        var fresh = g.Graph.FreshName(name);
        return QuantizedWeight.Find(whole) is { } quantized
            ? QuantizedWeight.Insert(g, fresh, quantized.Content.Columns(first, width))
            : g.Graph.AddInitializer(fresh, new ColumnsTensorData(whole.Initializer!, first, width).ToTensor());
    }
}
