using System.Collections.Frozen;
using OrtPeft.Autodiff.Rules;
using OrtPeft.Onnx;

namespace OrtPeft.Autodiff;

/// <summary>
/// Every operator with a known derivative, and every operator known to have none. An operator in neither is an error,
/// never a silent zero. Frozen and thread-safe.
/// </summary>
public sealed class GradientTable
{
    private readonly FrozenDictionary<OpKey, GradientRule> _rules;
    private readonly FrozenDictionary<(string Domain, string OpType), int[]> _versions;

    private GradientTable(IEnumerable<(OpKey Key, GradientRule Rule)> rows)
    {
        _rules = rows.ToDictionary(static r => r.Key, static r => r.Rule).ToFrozenDictionary();
        _versions = _rules.Keys
            .GroupBy(static k => (k.Domain, k.OpType))
            .ToFrozenDictionary(static g => g.Key, static g => g.Select(k => k.SinceOpset).OrderDescending().ToArray());
    }

    /// <summary>The rules that ship with OrtPeft.</summary>
    public static GradientTable Default { get; } = new(
    [
        .. Elementwise.Rows, .. Activation.Rows, .. Reduction.Rows, .. Linear.Rows, .. ShapeChanging.Rows, .. Window.Rows,
        .. Indexing.Rows, .. Normalization.Rows, .. Loss.Rows, .. Rules.Quantization.Rows, .. Repetition.Rows,
        .. NotDifferentiable.Rows,
    ]);

    /// <summary>A table with more rows.</summary>
    /// <param name="rows">Operators that this table does not have, and their rules.</param>
    /// <returns>The other table.</returns>
    /// <exception cref="ArgumentException">An operator has a row already.</exception>
    public GradientTable With(IEnumerable<(OpKey Key, GradientRule Rule)> rows) =>
        new([.. _rules.Select(static r => (r.Key, r.Value)), .. rows]);

    /// <summary>The operators in the table, each in the forms it knows.</summary>
    public IEnumerable<OpKey> Keys => _rules.Keys;

    /// <summary>Whether an operator passes a gradient on, as opposed to being known to have none.</summary>
    /// <param name="key">A key of the table.</param>
    /// <returns>True when there is a rule.</returns>
    public bool IsDifferentiable(OpKey key) => _rules[key] != NotDifferentiable.Rule;

    /// <summary>The rule for a node.</summary>
    /// <param name="node">The node.</param>
    /// <param name="opset">The model's version of the node's operator set.</param>
    /// <returns>The newest form up to <paramref name="opset"/>, or null when the operator is unknown.</returns>
    public GradientRule? Find(Node node, int opset)
    {
        ArgumentNullException.ThrowIfNull(node);
        foreach (var version in _versions.GetValueOrDefault((node.Domain, node.OpType), []))
        {
            if (version <= opset)
                return _rules[new OpKey(node.Domain, node.OpType, version)];
        }

        return null;
    }
}
