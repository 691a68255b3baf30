using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Shapes.Rules;

/// <summary>The requirements on one operator's nodes, and the way their outputs follow from their inputs.</summary>
/// <param name="Op">The operator.</param>
/// <param name="MinInputs">Inputs that must be there, but for <see cref="Optional"/> ones.</param>
/// <param name="MaxInputs">Inputs that may be there.</param>
/// <param name="Apply">Sets types, axes and small integer contents of the outputs.</param>
/// <param name="Domain">The operator's domain; empty for the standard.</param>
internal sealed record ShapeRow(
    string Op, int MinInputs, int MaxInputs, Action<ShapeContext> Apply, string Domain = "")
{
    public const int AnyNumber = int.MaxValue;

    /// <summary>Inputs among the first ones that may be left out, though later inputs may not.</summary>
    public int[] Optional { get; init; } = [];

    /// <summary>How many outputs a node must have.</summary>
    public int MinOutputs { get; init; } = 1;

    /// <summary>Inputs that hold axes, lengths or indices: int32 or int64.</summary>
    public int[] Integers { get; init; } = [];

    /// <summary>The attributes that have no default.</summary>
    public string[] Attributes { get; init; } = [];

    /// <summary>One row for each of several operators that share a rule.</summary>
    public static IEnumerable<ShapeRow> Each(
        int min, int max, Action<ShapeContext> apply, params IEnumerable<string> ops) =>
        ops.Select(op => new ShapeRow(op, min, max, apply));

    /// <summary>Checks that a node has what its operator cannot do without.</summary>
    /// <exception cref="GraphException">It lacks an input, output or attribute, has too many inputs, or numbers where
    /// integers belong.</exception>
    public void Check(ShapeContext c)
    {
        var node = c.Node;
        var given = node.Inputs.Count;
        while (given > 0 && node.Inputs[given - 1] is null)
            given--;
        if (given > MaxInputs)
            throw c.Error($"takes at most {MaxInputs} inputs, not {given}");
        var needed = MaxInputs == AnyNumber ? Math.Max(MinInputs, node.Inputs.Count) : MinInputs;
        foreach (var input in Enumerable.Range(0, needed).Where(i => !c.Has(i) && !Optional.Contains(i)))
            throw c.Error($"lacks input {input} of the {needed} that it needs");
        if (node.Outputs.Count < MinOutputs)
            throw c.Error(node.Outputs.Count == 0 ? "has no output" : $"has {node.Outputs.Count} of {MinOutputs} outputs");
        foreach (var input in Integers.Where(i => !IsInteger(c.TypeOf(i))))
            throw c.Error($"input {input} must hold integers, not {c.TypeOf(input)}");
        foreach (var attribute in Attributes.Where(a => !node.Attributes.Contains(a)))
            throw c.Error($"lacks the attribute '{attribute}'");
    }

    private static bool IsInteger(ElementType type) =>
        type is ElementType.Int64 or ElementType.Int32 or ElementType.Undefined;
}
