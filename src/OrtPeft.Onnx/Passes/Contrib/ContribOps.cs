using System.Collections.Frozen;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;

namespace OrtPeft.Onnx.Passes.Contrib;

/// <summary>
/// Takes ONNX Runtime's fused operators apart into standard ones with the same results, so that gradients, shapes and
/// adapters meet standard operators only: <c>Attention</c> becomes, among others, the product with its <c>c_attn</c>
/// weight.
/// </summary>
/// <seealso href="https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md"/>
internal static class ContribOps
{
    private const string Microsoft = "com.microsoft";

    /// <summary>Operators on blocks of channels as wide as the registers of the machine that optimised.</summary>
    private const string Layouts = "com.microsoft.nchwc";

    /// <summary>Computes a node's outputs in standard operators; null for an output that it cannot give.</summary>
    private delegate Value?[] Rewrite(Node node, GraphBuilder g);

    private static readonly FrozenDictionary<(string Domain, string OpType), Rewrite> Rows =
        new Dictionary<(string, string), Rewrite>
        {
            [(Microsoft, "Gelu")] = static (n, g) => [Gelus.Exact(g, n.Inputs[0]!)],
            [(Microsoft, "BiasGelu")] = Gelus.OfBiased,
            [(Microsoft, "FastGelu")] = static (n, g) => [Gelus.Fast(n, g)],
            [(Microsoft, "QuickGelu")] = static (n, g) => [Gelus.Quick(n, g)],
            [(Microsoft, "FusedMatMul")] = static (n, g) => [FusedProduct.Of(n, g)],
            [(Microsoft, "FusedGemm")] = static (n, g) => [FusedGemm.Of(n, g)],
            [(Microsoft, "TransposeMatMul")] = static (n, g) => [FusedProduct.Of(n, g)],
            [(Microsoft, "SkipLayerNormalization")] = SkipNormalization.Layer,
            [(Microsoft, "SkipSimplifiedLayerNormalization")] = SkipNormalization.Simplified,
            [(Microsoft, "EmbedLayerNormalization")] = EmbedNormalization.Of,
            [(Microsoft, "Attention")] = PackedAttention.Of,
            [(Microsoft, "MultiHeadAttention")] = MultiHeadAttention.Of,
            [(Microsoft, "GroupQueryAttention")] = GroupQueryAttention.Of,
            [(Microsoft, "RotaryEmbedding")] = static (n, g) => [Rotary.Of(n, g)],
            [(Microsoft, "CausalConvWithState")] = CausalConvolution.Of,
            [(Microsoft, "GatherBlockQuantized")] = static (n, g) => [QuantizedRows.Of(n, g)],
            [(Microsoft, "MoE")] = static (n, g) => [Experts.Of(n, g)],
            [(Microsoft, "MatMulBnb4")] = static (n, g) => [Bnb4Product.Of(n, g)],
            [(Microsoft, "QMoE")] = static (n, g) => [Experts.OfQuantized(n, g)],
        }.ToFrozenDictionary();

    /// <summary>The operators in the table, by domain and name.</summary>
    public static IEnumerable<(string Domain, string OpType)> Operators => Rows.Keys;

    /// <summary>Runs the pass in place.</summary>
    /// <param name="model">The model, in the operator-set version of <see cref="CanonicalForm"/>.</param>
    /// <exception cref="UnsupportedOpException">
    /// A node uses a feature of its operator that no row covers, or its weights are laid out for one processor.
    /// </exception>
    public static void Run(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var graph = model.Graph;
        if (graph.Nodes.FirstOrDefault(static n => n.Domain == Layouts) is { } packed)
            throw LayoutRefusal(packed);
        if (!graph.Nodes.Any(static n => Rows.ContainsKey((n.Domain, n.OpType))))
            return;
        var g = new GraphBuilder(graph, new ShapeInference(model.Opset));
        foreach (var node in graph.Nodes.ToArray())
        {
            g.Shapes.Infer(node);
            if (!Rows.TryGetValue((node.Domain, node.OpType), out var rewrite))
                continue;
            (g.Before, g.Scope) = (node, node.Name);
            NodeBlame.On(node, model.Opset, () => Replacement.Put(g, node, rewrite(node, g)));
        }

        graph.RemoveDeadCode();
    }

    private static UnsupportedOpException LayoutRefusal(Node node) => new(
        $"{node}: ONNX Runtime's optimisation level 'all' laid the weights out for one kind of processor; save the " +
        $"model with level 'extended' (ORT_ENABLE_EXTENDED) instead.");

    /// <summary>The exception for a feature that no row covers.</summary>
    internal static UnsupportedOpException Refusal(Node node, string feature) => new(
        $"{node}: OrtPeft does not take {node.OpType} with {feature} apart; train the model from before ONNX " +
        $"Runtime's fusion, or save it with optimisation level 'basic'.");
}
