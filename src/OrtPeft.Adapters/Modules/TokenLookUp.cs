using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Modules;

/// <summary>
/// A place where tokens become rows of a constant matrix: its numbers as stored, turned or dequantised before they are
/// picked, or integers that are picked first and then made numbers of.
/// </summary>
/// <param name="Node">The <c>Gather</c> that picks by token.</param>
/// <param name="Ids">The graph's input of tokens.</param>
/// <param name="Rows">The rows' numbers as the source model's embedding gives them, <c>[batch, sequence, width]</c> or <c>[batch · sequence, width]</c>.</param>
internal sealed record TokenLookUp(Node Node, Value Ids, Value Rows)
{
    private const string ScalingFamilies = "gemma";

    private static readonly string[] OrderKeeping = ["Reshape", "Flatten", "Squeeze", "Unsqueeze", "Cast", "Identity"];

    private static readonly string[] OfCodes =
        ["Reshape", "Squeeze", "Unsqueeze", "Cast", "Identity", "Slice", "Gather", "Add", "Sub"];

    private static readonly string[] OfScales = ["DequantizeLinear", "Mul", "Div"];

    /// <summary>The matrix as the <c>Gather</c> reads it.</summary>
    public Value Table => Node.Inputs[0]!;

    public int VocabularySize => checked((int)TokenRow.DimsOf(Table)!.Value[0]);

    /// <summary>The elements of a row.</summary>
    public int Width => Rows.Shape is { Rank: > 1 } shape && shape[shape.Rank - 1].Value is { } width
        ? checked((int)width)
        : Row(0).Length;

    /// <summary>Whether the rows are computed of integers.</summary>
    public bool IsQuantized => !Node.Output.Type.IsFloating() || QuantizedWeight.Find(Table) is not null;

    /// <summary>The look-ups of a graph's tokens in execution order; those of LoRA's A, and those that only help to
    /// dequantise the rows of another, are none.</summary>
    /// <param name="graph">The graph, in canonical form.</param>
    /// <param name="ids">Its input of tokens.</param>
    public static IReadOnlyList<TokenLookUp> All(Graph graph, Value ids)
    {
        var lora = LoraInGraph.Of(graph);
        var picks = graph.Nodes.Where(n => n.Is("Gather") && n.Attributes.Int("axis", 0) == 0
            && IsOrder(n.Inputs[1], ids) && TokenRow.DimsOf(n.Inputs[0]!) is [_, _] && !lora.IsFactor(n)).ToList();
        var quantized = picks.Where(static n => !n.Output.Type.IsFloating())
            .Select(n => Dequantized(n.Output) is { } rows ? new TokenLookUp(n, ids, rows) : null)
            .OfType<TokenLookUp>().Where(static l => TokenRow.Of(l.Rows, l.Ids, 0) is not null).ToList();
        var parts = quantized.SelectMany(l => TokenRow.NodesOf(l.Rows, ids)).ToHashSet();
        return
        [
            .. picks.Where(n => n.Output.Type.IsFloating() && !parts.Contains(n))
                .Select(n => new TokenLookUp(n, ids, n.Output)).Concat(quantized)
                .OrderBy(l => graph.Nodes.TakeWhile(n => n != l.Node).Count()).Select(l => Scaled(graph, l)),
        ];
    }

    /// <summary>
    /// Gemma's embedding scales its rows, so that what stands in their place is not scaled; Granite's is scaled by the model,
    /// and virtual tokens with it. The family tells, or the module that the scale was exported from, or the number: the root
    /// of the width is Gemma's, whose first code scaled in the model.
    /// </summary>
    private static TokenLookUp Scaled(Graph graph, TokenLookUp lookUp)
    {
        // TorchScript's exporter asks the rows for their axes too.
        if (lookUp.Rows.Uses.Where(static u => !u.Node.Is("Shape")).ToList() is not [{ Node: var scale, Index: var index }]
            || !scale.Is("Mul")
            || scale.Inputs[1 - index]?.Constant is not { Count: 1 } factor)
            return lookUp;
        var isEmbeddings = graph.Family is { } family
            ? family.StartsWith(ScalingFamilies, StringComparison.Ordinal)
            : IsRoot(factor, lookUp.Width) || (BuilderNames.Of(graph) is null
                && new ModuleNames(graph).Scope(scale) is { } module && DecoderFamilies.IsTokenEmbedding(module));
        return isEmbeddings ? lookUp with { Rows = scale.Output } : lookUp;
    }

    /// <summary>Whether a number is the root of another, in whatever precision it was computed.</summary>
    private static bool IsRoot(Tensor factor, int of)
    {
        const double Slack = 1.0 / 256; // of bfloat16
        return factor.Type.IsFloating() && Math.Abs((factor.ToFloat32()[0] / Math.Sqrt(of)) - 1) <= Slack;
    }

    /// <summary>The first of <see cref="All"/>, or null.</summary>
    public static TokenLookUp? First(Graph graph, Value ids) => All(graph, ids) is [var first, ..] ? first : null;

    /// <summary>One row, as float32.</summary>
    public float[] Row(int token) => TokenRow.Of(Rows, Ids, token)!;

    /// <summary>Whether a value is the tokens in their order, whatever its axes.</summary>
    public static bool IsOrder(Value? value, Value ids)
    {
        while (value is not null && value != ids)
        {
            var keeps = value.Producer is { Domain: "" } node && OrderKeeping.Contains(node.OpType);
            value = keeps ? value.Producer!.Inputs[0] : null;
        }

        return value is not null;
    }

    /// <summary>The numbers that picked integers are made, by the scale that they meet; null where they meet
    /// none.</summary>
    private static Value? Dequantized(Value codes)
    {
        while (codes.Uses is [{ Node: { Domain: "" } next }])
        {
            if (OfScales.Contains(next.OpType))
                return next.Output;
            if (!OfCodes.Contains(next.OpType))
                return null;
            codes = next.Output;
        }

        return null;
    }
}
