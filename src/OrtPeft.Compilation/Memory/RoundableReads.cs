using OrtPeft.Kernels;
using OrtPeft.Kernels.Operators;
using OrtPeft.Onnx;

namespace OrtPeft.Compilation.Memory;

/// <summary>
/// Tells the operands of the gradient that may be rounded to bfloat16 at the cost of that rounding and no more: not those
/// where it would be multiplied, as under an exponential or by a difference.
/// </summary>
internal sealed class RoundableReads
{
    /// <summary>Standard operators that are linear in each operand, up to views.</summary>
    private static readonly HashSet<string> Linear =
    [
        "Add", "Mul", "Neg", "MatMul", "Gemm", "Transpose", "Slice", "Concat", "Split", "Expand", "ReduceSum",
        "SimplifiedLayerNormalization",
    ];

    private readonly HashSet<Value> _ofSecondRuns = [];
    private readonly Dictionary<Value, bool> _known = [];

    /// <summary>Finds what is run a second time in a graph.</summary>
    public RoundableReads(GradientPart part)
    {
        var own = new HashSet<Value>();
        foreach (var node in part.Nodes)
        {
            var waits = After.Forward.Is(node);
            var isOwn = node.Inputs.Where((v, i) => !waits || i == 0).Any(v => v is not null
                && (own.Contains(v) || (part.Contains(v) && !_ofSecondRuns.Contains(v))));
            (isOwn ? own : _ofSecondRuns).UnionWith(node.Outputs);
        }
    }

    /// <summary>Whether a node may read something rounded there, and all that it hands on to the gradient may be read as
    /// it then is.</summary>
    public bool AreRoundable(Use use) =>
        IsRoundable(use.Node, use.Index)
        && (!_ofSecondRuns.Contains(use.Node.Outputs[0]) || use.Node.Outputs.All(IsRoundable));

    private bool IsRoundable(Value value)
    {
        if (!_known.TryGetValue(value, out var isRoundable))
            _known[value] = isRoundable = value.Uses.All(AreRoundable);
        return isRoundable;
    }

    /// <summary>Attention's gradient makes probabilities of its scores with the largest one and the sum that the forward pass
    /// had found: those must be of the same queries and keys, so that all of them are run again or none.</summary>
    private bool IsRoundable(Node node, int index) => FusedOps.Of(node) switch
    {
        null => Costs.IsView(node) ? index == 0 : node.Domain.Length == 0 && Linear.Contains(node.OpType),
        var op when op == Attention.Backward || op == Attention.BackwardInRows =>
            index is 1 or 2 or 6 or 7 ? IsAgain(node, 6) : IsMarked(op, index),
        var op when op == SelfAttention.Backward => index is 1 or 5 or 6 ? IsAgain(node, 5) : IsMarked(op, index),
        var op => IsMarked(op, index),
    };

    private bool IsAgain(Node node, int index) => _ofSecondRuns.Contains(node.Inputs[index]!);

    private static bool IsMarked(FusedOp op, int index) => op.Signature.Inputs[index].IsRoundable;
}
