using OrtPeft.Adapters.Modules;
using OrtPeft.Autodiff;
using OrtPeft.Kernels.Operators;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Compilation.Objectives;

/// <summary>
/// Next-token cross-entropy as in HF's causal language models: adds the input <c>labels</c> [batch, sequence] int64,
/// −100
/// ignored, shifted inside. Positions without a label never reach the head: hidden states are picked before the product
/// with the vocabulary. Where no axis may depend on the labels, they do, and count nothing.
/// </summary>
public sealed class CausalLm : IObjective
{
    /// <summary>How many positions of a batch have a label: the length of all that is picked at them.</summary>
    internal static Dim Supervised { get; } = Dim.Named("positions with a label");

    /// <inheritdoc/>
    public string Name => "causal-lm";

    /// <inheritdoc/>
    public LossValues Build(LossScope scope)
    {
        ArgumentNullException.ThrowIfNull(scope);
        var places = PlacesOf(scope);
        return places.Head is { } head ? HeadLoss(scope, head, places) : LogitsLoss(scope, places);
    }

    /// <summary>The logits at the positions with a label, [positions, vocabulary], and the labels there.</summary>
    internal static (Value Logits, Value Targets, Value Count) RowsOf(LossScope scope)
    {
        var places = PlacesOf(scope);
        var logits = places.Head is { } head ? HeadRows(scope, head, places).Logits : LogitsRows(scope, places);
        return (logits, places.Targets, places.Count);
    }

    /// <summary>Finds the positions with a label. The head is null where more than its product makes the logits.</summary>
    private static LabelPlaces PlacesOf(LossScope scope)
    {
        var g = scope.Builder;
        var ids = g.Graph.Inputs.FirstOrDefault(static i => i.Name == DecoderNames.Ids);
        var head = ModuleCatalogue.Head(g.Graph, scope.Trainable);
        var shape = LogitsCheck.ShapeOf(scope, ids, head is not null);
        var labels = g.Graph.AddInput(DecoderNames.Labels, ElementType.Int64, ids?.Shape ?? [shape[0], shape[1]]);
        g.Scope = "/loss";
        var output = scope.Output.Type == ElementType.Double ? g.Cast(scope.Output, ElementType.Float) : scope.Output;
        var logits = LogitsCheck.IsTimeFirst(shape, ids) ? g.Transpose(output, 1, 0, 2) : output;
        var next = NextTokens(g, labels, scope.VirtualTokens);
        var isAll = head is { Bias: null, Node.Inputs.Count: 2 } && IsAll(head, logits);
        var (product, isLabel) = (isAll ? head : null, !Equal(g.Term(next), DecoderLabels.Ignored));
        if (scope.MasksLabels)
        {
            var labelled = Cast(Sum(Cast(isLabel, ElementType.Float)), ElementType.Int64);
            return new LabelPlaces(product, logits, Where(isLabel, next, g.Int64Scalar(0)), labelled) { Mask = isLabel };
        }

        var picked = g.Reshape(g.Op("NonZero", isLabel), -1);
        picked.Shape = [Supervised];
        var targets = g.Gather(next, picked);
        return new LabelPlaces(product, logits, targets, g.Op("Size", targets)) { Picked = picked };
    }

    /// <summary>Whether the product alone makes the logits; what else is done to them is differentiated too.</summary>
    private static bool IsAll(LinearModule head, Value logits) =>
        HeadPath.To(logits, n => n == head.Node) is { IsPlain: true };

    /// <summary>
    /// The label of each position's next token, the batch as one row: [batch·(virtual + sequence)]. The last virtual
    /// token predicts the first real one.
    /// </summary>
    private static Value NextTokens(GraphBuilder g, Value labels, int virtualTokens)
    {
        var batch = g.Op("Slice", g.Shape(labels), g.Int64(0), g.Int64(1));
        if (virtualTokens > 0)
            return g.Reshape(g.Concat(1, Ignored(virtualTokens - 1), labels, Ignored(1)), -1);
        var shifted = g.Op("Slice", labels, g.Int64(1), g.Int64(long.MaxValue), g.Int64(1));
        return g.Reshape(g.Concat(1, shifted, Ignored(1)), -1);

        // Pad would do, but has no kernel for int64 on CUDA.
        Value Ignored(long columns) => g.Expand(
            g.Int64Scalar(DecoderLabels.Ignored), g.Concat(0, batch, g.Int64(columns)));
    }

    /// <summary>
    /// Through the head y = h·Wᵀ by hand: with P = softmax(y), dh = (P·W − W[target])·scale and dW = (Pᵀ·h − h at the
    /// targets' rows)·scale. No one-hot matrix is made.
    /// </summary>
    private static LossValues HeadLoss(LossScope scope, LinearModule head, LabelPlaces places)
    {
        var (g, weight, targets, count) = (scope.Builder, head.Weight, places.Targets, places.Count);
        var (h, logits) = HeadRows(scope, head, places);
        var (sum, p) = NegativeLogLikelihood(g, logits, places);
        if (scope.Scale is null)
            return new LossValues(sum, count, []);
        var atTarget = g.Term(
            head.IsOutByIn ? g.Gather(weight, targets) : g.Transpose(g.Gather(weight, targets, 1), 1, 0));
        var dH = scope.ScalesProbabilities
            ? g.Term(g.Gemm(p * scope.Scale, weight, transB: !head.IsOutByIn)) - (atTarget * scope.Scale)
            : (g.Term(g.Gemm(p, weight, transB: !head.IsOutByIn)) - atTarget) * scope.Scale;
        var seeds = new List<Seed> { new(h, places.Masked(dH)) };
        if (scope.Trainable.Count > 0 && places.Mask is not null)
            (h, p) = (places.Masked(g.Term(h)), places.Masked(p)); // rows meet in the gradients of weights
        if (scope.Trainable.Contains(weight))
            seeds.Add(new Seed(weight, WeightGradient(scope, head, h, p, targets)));
        else if (ReplacedRows.Find(weight) is { } replaced && scope.Trainable.Contains(replaced.Rows))
            seeds.Add(new Seed(replaced.Rows, RowsGradient(scope, replaced, h, p, targets)));
        return new LossValues(sum, count, seeds);
    }

    private static (Value Hidden, Value Logits) HeadRows(LossScope scope, LinearModule head, LabelPlaces places)
    {
        var g = scope.Builder;
        var h = places.Rows(g, g.Reshape(head.Node.Inputs[0]!, -1, head.InFeatures));
        return (h, g.Gemm(h, head.Weight, transB: head.IsOutByIn));
    }

    private static Value WeightGradient(LossScope scope, LinearModule head, Value h, Value p, Value targets)
    {
        var g = scope.Builder;
        var scaled = g.Term(h) * scope.Scale!;
        var spread = g.Expand(g.Unsqueeze(targets, 1), g.Shape(h));
        var dW = g.Op(
            "ScatterElements",
            [g.Gemm(p, scaled, transA: true), spread, -scaled],
            NodeAttribute.Of("axis", 0L),
            NodeAttribute.Of("reduction", "add"));
        return head.IsOutByIn ? dW : g.Transpose(dW, 1, 0);
    }

    /// <summary>Of the rows R of W that are replaced: dR = (P[:, R] − onehot[:, R])ᵀ·h·scale.</summary>
    private static Value RowsGradient(LossScope scope, ReplacedRows replaced, Value h, Value p, Value targets)
    {
        var g = scope.Builder;
        var places = g.Reshape(replaced.Places, -1);
        var isTarget = Cast(Equal(Unsqueeze(g.Term(targets), 1), g.Unsqueeze(places, 0)), p.Type);
        return g.Gemm(g.Term(g.Gather(p, places, 1)) - isTarget, g.Term(h) * scope.Scale!, transA: true);
    }

    /// <summary>For heads of other forms: picks rows y of the logits, dy = (P − onehot)·scale.</summary>
    private static LossValues LogitsLoss(LossScope scope, LabelPlaces places)
    {
        var (g, targets, count) = (scope.Builder, places.Targets, places.Count);
        var y = LogitsRows(scope, places);
        var (sum, p) = NegativeLogLikelihood(g, y, places);
        if (scope.Scale is null)
            return new LossValues(sum, count, []);
        var column = g.Unsqueeze(targets, 1);
        var difference = g.Term(g.Op(
            "ScatterElements",
            [p, column, g.Expand(g.ScalarLike(p, -1), g.Shape(column))],
            NodeAttribute.Of("axis", 1L),
            NodeAttribute.Of("reduction", "add")));
        return new LossValues(sum, count, [new Seed(y, places.Masked(difference * scope.Scale))]);
    }

    private static Value LogitsRows(LossScope scope, LabelPlaces places)
    {
        var (g, logits) = (scope.Builder, places.Logits);
        var vocabulary = logits.Shape![2].Value
            ?? throw new GraphException(
                $"The output '{logits.Name}' is {logits.Shape}: the vocabulary's size must be known.");
        return places.Rows(g, g.Reshape(logits, -1, vocabulary));
    }

    private static (Term Sum, Term P) NegativeLogLikelihood(GraphBuilder g, Value logits, LabelPlaces places)
    {
        var results = CrossEntropy.Forward.Apply(g, [logits, g.Unsqueeze(places.Targets, 1)]);
        return (-LossSum.Of(places.Masked(g.Term(results[1]))), g.Term(results[0]));
    }

    /// <summary>Where a batch has labels.</summary>
    /// <param name="Head">The head whose product is the logits; null where more makes them.</param>
    /// <param name="Logits">[batch, sequence, vocabulary].</param>
    /// <param name="Targets">The label at each picked position; at each of all, where they are masked.</param>
    /// <param name="Count">How many positions have one.</param>
    private sealed record LabelPlaces(LinearModule? Head, Value Logits, Value Targets, Value Count)
    {
        /// <summary>The positions, of the batch as one row; null where they are masked.</summary>
        public Value? Picked { get; init; }

        /// <summary>Whether each position of the batch as one row has a label; null where they are picked.</summary>
        public Term? Mask { get; init; }

        /// <summary>The rows of the positions, of those of the batch as one row.</summary>
        public Value Rows(GraphBuilder g, Value all) => Picked is null ? all : g.Gather(all, Picked);

        /// <summary>0 in the rows without a label, whatever was computed there.</summary>
        public Term Masked(Term rows) => Mask is { } mask ? Where(Unsqueeze(mask, 1), rows, 0) : rows;
    }
}
