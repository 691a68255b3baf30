using OrtPeft.Autodiff.Rules;
using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Autodiff.Quantization;

/// <summary>
/// Where a graph's quantisers let the gradient pass as if they did not round: 1 inside the range of the integers, 0 where
/// a number was clipped. Scales and zero points count as constants, computed ones too. This is quantisation-aware
/// training with a straight-through estimator.
/// </summary>
/// <seealso href="https://arxiv.org/abs/1308.3432">Bengio, Léonard and Courville, section 4.</seealso>
/// <seealso href="https://arxiv.org/abs/1712.05877">Jacob et al., section 3.</seealso>
internal sealed class StraightThrough
{
    private static readonly HashSet<string> OnIntegers = ["Add", "Cast", "Clip", "Max", "Min", "Sub"];

    private readonly HashSet<Value> _carriers = [];
    private readonly HashSet<Node> _roundings = [];
    private readonly HashSet<Use> _constants = [];
    private readonly HashSet<Value> _measured = [];

    private StraightThrough()
    {
    }

    /// <summary>Finds the quantisers of a graph.</summary>
    /// <param name="nodes">Its nodes, in order.</param>
    public static StraightThrough Of(IEnumerable<Node> nodes)
    {
        var result = new StraightThrough();
        foreach (var node in nodes)
            result.Add(node);
        return result;
    }

    /// <summary>Whether a value's gradient is known: floating-point numbers, and integers that stand for them.</summary>
    /// <param name="value">The value.</param>
    public bool Carries(Value value) => !_measured.Contains(value)
        && (value.Type == ElementType.Undefined || value.Type.IsFloating() || _carriers.Contains(value));

    /// <summary>Whether a node's input counts as a constant: a quantiser's scale or zero point.</summary>
    /// <param name="node">The node.</param>
    /// <param name="index">The input, from 0.</param>
    public bool IsConstant(Node node, int index) => _constants.Contains(new Use(node, index));

    /// <summary>Whether no gradient passes a node.</summary>
    /// <param name="node">The node.</param>
    public bool Stops(Node node) =>
        node.Is("Round") ? !_roundings.Contains(node) : NotDifferentiable.Is(node);

    /// <summary>
    /// The operand of a Max or Min that it clips to constants within a quantiser, or −1: numbers on the bound are inside
    /// the range, where rounding puts many, and no tie with the bound.
    /// </summary>
    /// <param name="node">The node.</param>
    public int Clipped(Node node) => (node.Is("Max") || node.Is("Min")) && node.Inputs.Count(i => i!.Constant is null) == 1
        && node.Inputs.Index().First(static i => i.Item!.Constant is null) is var (index, value) && _carriers.Contains(value!)
            ? index
            : -1;

    private void Add(Node node)
    {
        switch (node.OpType)
        {
            case "QuantizeLinear" or "DynamicQuantizeLinear":
                _carriers.Add(node.Outputs[0]);
                _measured.UnionWith(node.Outputs.Skip(1));
                Constants(node);
                break;
            case "DequantizeLinear" when _carriers.Contains(node.Inputs[0]!):
                Constants(node);
                break;
            case "Round" when ScaledRounding.Find(node) is { } quantiser:
                _roundings.Add(node);
                _constants.UnionWith(quantiser.Edges);
                _carriers.UnionWith(quantiser.Values);
                break;
            case var _ when node.Domain.Length == 0 && (OnIntegers.Contains(node.OpType) || Moves.Is(node))
                && node.Inputs.Any(i => i is not null && _carriers.Contains(i)):
                _carriers.UnionWith(node.Outputs.Where(static o => o.Type != ElementType.Bool && !o.Type.IsFloating()));
                break;
        }
    }

    private void Constants(Node node)
    {
        _constants.Add(new Use(node, 1));
        _constants.Add(new Use(node, 2));
    }
}
