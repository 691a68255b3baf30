using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;

namespace OrtPeft.Adapters.Modules;

/// <summary>
/// Tells from the graph's structure whose parameter a vector is where it is read: the bias of the linear layer whose
/// product it is added to, or scale or bias of a normalisation.
/// </summary>
internal sealed class VectorOwners
{
    private readonly Dictionary<Node, LinearModule> _products;
    private readonly string? _finalNorm;
    private readonly ModuleNames _names;

    public VectorOwners(Graph graph)
    {
        _names = new ModuleNames(graph);
        _products = ModuleCatalogue.Applications(graph).ToDictionary(static m => m.Node);
        _finalNorm = DecoderFamilies.All.FirstOrDefault(f =>
            _products.Values.Any(m => m.Name.StartsWith($"{f.Layers}.", StringComparison.Ordinal)))?.FinalNorm;
    }

    /// <summary>
    /// The owner at one place of reading and the parameter's name there; null when it is not a parameter of a known kind.
    /// </summary>
    public (VectorOwner Owner, string Name)? Of(Use use) => OfProduct(use) ?? OfNorm(use);

    private (VectorOwner Owner, string Name)? OfProduct(Use use)
    {
        var node = use.Node;
        var product = node.Is("Add") ? node.Inputs[1 - use.Index]?.Producer : node;
        if (product is null || !_products.TryGetValue(product, out var module))
            return null;
        var isBias = module.Bias == node.Inputs[use.Index] && (node != product || use.Index == 2);
        return isBias ? (new VectorOwner(module.Weight, "bias"), $"{module.Name}.bias") : null;
    }

    private (VectorOwner Owner, string Name)? OfNorm(Use use)
    {
        var node = use.Node;
        var role = (node.OpType, use.Index) switch
        {
            ("LayerNormalization" or "SimplifiedLayerNormalization", 1) or ("Mul", _) => "weight",
            ("LayerNormalization", 2) => "bias",
            _ => null,
        };
        if (role is null || node.Domain.Length > 0)
            return null;
        var reader = ReaderOf(node.Output);
        if (node.Is("Mul") && reader is null)
            return null;
        var anchor = reader?.Weight ?? (object)node;
        return (new VectorOwner(anchor, $"normalisation's {role}"), $"{NormName(node, reader)}.{role}");
    }

    private string NormName(Node node, LinearModule? reader)
    {
        var known = reader switch
        {
            null => null,
            { IsOutputLayer: true } => _finalNorm,
            _ => DecoderFamilies.NormBefore(reader.Name),
        };
        return known ?? _names.Scope(node) ?? (node.Name.Length > 0 ? node.Name : node.Output.Name);
    }

    /// <summary>The first linear layer that reads a value, looking through what only moves numbers.</summary>
    private LinearModule? ReaderOf(Value value)
    {
        foreach (var node in value.Uses.Select(static u => u.Node))
        {
            if (_products.TryGetValue(node, out var module))
                return module;
            var moves = node.OpType is "Reshape" or "Cast" or "Identity" or "Squeeze" or "Unsqueeze" or "Flatten";
            if (moves && ReaderOf(node.Output) is { } reader)
                return reader;
        }

        return null;
    }
}
