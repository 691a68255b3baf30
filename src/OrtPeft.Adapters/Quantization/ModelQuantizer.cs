using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Quantization;

namespace OrtPeft.Adapters.Quantization;

/// <summary>
/// Stores a model's linear layers in few bits, as the base of QLoRA. The result runs on every ONNX Runtime from 1.19
/// on: each weight stands behind a standard <c>DequantizeLinear</c>. Embeddings, biases and normalisations stay as they
/// are.
/// </summary>
/// <seealso href="https://arxiv.org/abs/2305.14314">Dettmers et al., QLoRA.</seealso>
public static class ModelQuantizer
{
    /// <summary>Quantises a copy of a model, one weight after the other.</summary>
    /// <param name="model">The model; not changed.</param>
    /// <param name="format">Width, block size and symmetry.</param>
    /// <param name="targets">The layers; every linear layer but the head when left out.</param>
    /// <returns>The copy, and what was lost.</returns>
    /// <exception cref="ConfigException">No layer matches, a weight is an embedding too, or the model chooses between
    /// graphs at run time.</exception>
    /// <exception cref="ArgumentException">The format has a value that there is not, or a weight is no
    /// number.</exception>
    /// <exception cref="UnsupportedOpException">The graph cannot be brought into canonical form.</exception>
    public static QuantizationResult Quantize(Model model, BlockFormat format, ModuleTargets? targets = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(format);
        format.Check();
        if (model.Graph.Nodes.FirstOrDefault(static n => n.Subgraphs.Any()) is { } branching)
            throw new ConfigException(
                $"{branching} chooses between graphs at run time, and a quantised model cannot; quantise the decoder that "
                + "was exported without branches.");
        var copy = model.Clone();
        CanonicalForm.Apply(copy);
        var selected = Selected(copy.Graph, targets ?? ModuleTargets.AllLinear);
        return new QuantizationResult(copy, [.. selected.Select(m => Quantize(copy.Graph, m, format))]);
    }

    private static List<LinearModule> Selected(Graph graph, ModuleTargets targets)
    {
        var selected = TargetSelector.Select(ModuleCatalogue.LinearModules(graph), targets)
            .DistinctBy(static m => m.Weight)
            .Where(static m => m.Weight.Initializer is not null)
            .ToList();
        if (selected.Count == 0)
            throw new ConfigException($"The layers that '{targets}' means are quantised already; give the float model.");
        var tied = selected.FirstOrDefault(static m => m.Weight.Uses.Any(static u => u.Node.Is("Gather")));
        return tied is null
            ? selected
            : throw new ConfigException(
                $"The weight of {tied.Name} is an embedding too ('{tied.Weight.Name}'), which stays as it is; "
                + "leave the layer out of the targets.");
    }

    private static QuantizedLayer Quantize(Graph graph, LinearModule module, BlockFormat format)
    {
        var (value, name) = (module.Weight, module.Weight.Name);
        var before = value.Initializer!.Data.Length;
        var error = QuantizedWeight.Replace(graph, value, module.IsOutByIn ? 1 : 0, format);
        var after = QuantizedWeight.Find(graph.Find(name)!)!.ByteCount;
        return new QuantizedLayer(module.Name, error, before, after);
    }
}
