using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Quantization;

namespace OrtPeft.Adapters.Quantization;

/// <summary>
/// Stores a model's linear layers in few bits, as the base of QLoRA. The result runs on every ONNX Runtime from 1.19
/// on: standard operators make each weight. Embeddings, biases and normalisations stay as they
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
        var copy = CanonicalCopy(model, format);
        var selected = Selected(copy.Graph, targets ?? ModuleTargets.AllLinear);
        var g = GraphBuilder.Over(copy);
        List<QuantizedLayer> layers = [.. selected.Select(m => Quantize(g, m, format))];
        DecoderNaming.Restore(copy);
        return new QuantizationResult(copy, layers);
    }

    /// <summary>A copy in the form whose layers are found, once it is sure that it can be quantised.</summary>
    internal static Model CanonicalCopy(Model model, BlockFormat format)
    {
        format.Check();
        if (model.Graph.Nodes.FirstOrDefault(static n => n.Subgraphs.Any()) is { } branching)
            throw new ConfigException(
                $"{branching} chooses between graphs at run time, and a quantised model cannot; quantise the decoder "
                + "that was exported without branches.");
        var copy = model.Clone();
        CanonicalForm.Apply(copy);
        return copy;
    }

    /// <summary>An error where a layer has no float weight of its own.</summary>
    internal static void Check(IReadOnlyList<LinearModule> modules, ModuleTargets targets)
    {
        if (modules.Any(static m => m.Weight.Initializer is null))
            throw new ConfigException(
                $"The layers that '{targets}' means are quantised already; give the float model.");
        var tied = modules.FirstOrDefault(static m => EmbeddingCatalogue.LookUpsOf(m.Weight).Any());
        if (tied is not null)
            throw new ConfigException(
                $"The weight of {tied.Name} is an embedding too ('{tied.Weight.Name}'), which stays as it is; "
                + "leave the layer out of the targets.");
    }

    private static List<LinearModule> Selected(Graph graph, ModuleTargets targets)
    {
        var modules = ModuleCatalogue.LinearModules(graph);
        var matching = TargetSelector.Select(modules, targets);
        string[] names = [.. modules.Select(static m => m.Name)];
        if (UnmatchedNames.OfTargets(targets, names).FirstOrDefault() is { } unmatched)
            throw new ConfigException($"{unmatched}.");
        var selected = matching.DistinctBy(static m => m.Weight)
            .Where(static m => m.Weight.Initializer is not null)
            .ToList();
        if (selected.Count == 0)
            throw new ConfigException(
                $"The layers that '{targets}' means are quantised already; give the float model.");
        Check(selected, targets);
        return selected;
    }

    private static QuantizedLayer Quantize(GraphBuilder g, LinearModule module, BlockFormat format)
    {
        var (weight, name) = (module.Weight.Initializer!, module.Weight.Name);
        var content = BlockQuantizer.Quantize(weight, module.IsOutByIn ? 1 : 0, format);
        QuantizedWeight.Replace(g, module.Weight, content);
        var after = QuantizedWeight.Find(g.Graph.Find(name)!)!.ByteCount;
        return new QuantizedLayer(module.Name, content.RelativeError, weight.Data.Length, after);
    }
}
