using System.Collections.Frozen;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;

namespace OrtPeft.Onnx.Passes.Newer;

/// <summary>
/// Rewrites nodes of newer standard operator sets into operators of <see cref="CanonicalForm.Opset"/>: what came since
/// is taken apart, and operators that only grew types pass as they are. So everything after the loader knows one form,
/// and ONNX Runtime builds that are older than the model run it.
/// </summary>
/// <seealso href="https://github.com/onnx/onnx/blob/main/docs/Changelog.md"/>
internal static class OpsetLowering
{
    /// <summary>The newest version whose changes are known, and the newest that ONNX Runtime 1.29 loads.</summary>
    public const int Newest = 26;

    private const int IrVersion = 10;

    /// <summary>Operators that came after the canonical opset, and what computes their outputs.</summary>
    private static readonly FrozenDictionary<string, Func<Node, GraphBuilder, Value?[]>> Rows =
        new Dictionary<string, Func<Node, GraphBuilder, Value?[]>>
        {
            ["Attention"] = StandardAttention.Of,
            ["RotaryEmbedding"] = StandardRotary.Of,
            ["RMSNormalization"] = StandardNorm.Of,
            ["Swish"] = Swish,
            ["TensorScatter"] = CacheWrite.Of,
        }.ToFrozenDictionary();

    /// <summary>Operators that came after the canonical opset and have no form in it.</summary>
    private static readonly FrozenSet<string> Unknown = FrozenSet.Create("BitCast", "CumProd");

    /// <summary>Attributes that came after it, each with the value that means what the older form does.</summary>
    private static readonly (string OpType, string Attribute, string? Neutral)[] Attributes =
    [
        ("Cast", "round_mode", null),
        ("QuantizeLinear", "precision", "0"),
        ("DequantizeLinear", "output_dtype", "0"),
    ];

    /// <summary>The operators in the table.</summary>
    public static IEnumerable<string> Operators => Rows.Keys;

    /// <summary>Runs the pass in place.</summary>
    /// <param name="model">The model.</param>
    /// <exception cref="UnsupportedOpException">
    /// The model's operator set is newer than <see cref="Newest"/>, or a node has no form in the canonical one.
    /// </exception>
    public static void Run(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (model.Opset <= CanonicalForm.Opset)
            return;
        if (model.Opset > Newest)
        {
            throw new UnsupportedOpException(
                $"The model is written for opset {model.Opset}; OrtPeft knows the operators up to {Newest}: export " +
                $"it again with opset {Newest} or older.");
        }

        Lower(model.Graph, new ShapeInference(CanonicalForm.Opset), model.Opset);
        model.Opsets[""] = CanonicalForm.Opset;
        model.IrVersion = Math.Min(model.IrVersion, IrVersion);
    }

    private static void Lower(Graph graph, ShapeInference shapes, int opset)
    {
        var g = new GraphBuilder(graph, shapes);
        foreach (var node in graph.Nodes.ToArray())
        {
            foreach (var inner in node.Subgraphs)
                Lower(inner, shapes, opset);
            if (node.Domain.Length == 0 && Rows.TryGetValue(node.OpType, out var rewrite))
            {
                shapes.Infer(node);
                (g.Before, g.Scope) = (node, node.Name);
                NodeBlame.On(node, opset, () => Replacement.Put(g, node, rewrite(node, g)));
                continue;
            }

            DropNewAttributes(node, opset);
            shapes.Infer(node);
        }
    }

    private static void DropNewAttributes(Node node, int opset)
    {
        if (node.Domain.Length > 0)
            return;
        if (Unknown.Contains(node.OpType))
            throw Refusal(node, opset, node.OpType);
        foreach (var (_, name, neutral) in Attributes.Where(a => a.OpType == node.OpType))
        {
            if (!node.Attributes.Contains(name))
                continue;
            var value = node.Attributes[name].Kind == AttributeKind.Int ? $"{node.Attributes.Int(name, 0)}" : neutral;
            if (neutral is not null && value != neutral)
                throw Refusal(node, opset, $"{node.OpType} with {name} {value}");
            node.Attributes.Remove(name);
        }
    }

    /// <summary>The exception for a feature that opset 21 cannot express.</summary>
    internal static UnsupportedOpException Refusal(Node node, int opset, string feature) => new(
        $"{node} (opset {opset}): OrtPeft has no form of {feature} in opset {CanonicalForm.Opset}; export the model " +
        $"with opset {CanonicalForm.Opset}.");

    /// <summary>x·σ(αx), opset 24.</summary>
    private static Value?[] Swish(Node node, GraphBuilder g)
    {
        var (x, alpha) = (node.Inputs[0]!, node.Attributes.Float("alpha", 1));
        return [g.Mul(x, g.Op("Sigmoid", alpha == 1 ? x : g.Mul(x, alpha)))];
    }
}
