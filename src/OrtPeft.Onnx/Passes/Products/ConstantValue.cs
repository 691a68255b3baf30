using System.Collections.Frozen;
using System.Collections.Immutable;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Passes.Products;

/// <summary>The content of a value that nodes make of constants, computed here in float32.</summary>
internal static class ConstantValue
{
    private const int DeepestChain = 32;

    /// <summary>Computes a node's only output of its inputs; null where they do not fit.</summary>
    private delegate Tensor? Row(Node node, IReadOnlyList<Tensor?> inputs);

    private static readonly FrozenDictionary<string, Row> Rows = new Dictionary<string, Row>
    {
        ["Reshape"] = SameBytes,
        ["Flatten"] = SameBytes,
        ["Squeeze"] = SameBytes,
        ["Unsqueeze"] = SameBytes,
        ["Identity"] = SameBytes,
        ["Cast"] = static (n, x) => n.Attributes.ElementType("to", default) == ElementType.Float ? x[0]!.AsFloats() : null,
        ["Neg"] = static (_, x) => x[0]!.AsFloats() is { } f ? With(f.Dims, [.. f.ToFloat32().Select(static v => -v)]) : null,
        ["Add"] = static (_, x) => ConstantArithmetic.Of(x, static (a, b) => a + b),
        ["Sub"] = static (_, x) => ConstantArithmetic.Of(x, static (a, b) => a - b),
        ["Mul"] = static (_, x) => ConstantArithmetic.Of(x, static (a, b) => a * b),
        ["Div"] = static (_, x) => ConstantArithmetic.Of(x, static (a, b) => a / b),
        ["Transpose"] = Transposed,
        ["Concat"] = Joined,
        ["QuantizeLinear"] = ConstantArithmetic.Quantized,
        ["DequantizeLinear"] = ConstantArithmetic.Dequantized,
    }.ToFrozenDictionary();

    /// <summary>The operators in the table.</summary>
    public static IEnumerable<string> Operators => Rows.Keys;

    /// <summary>Whether only constants and operators of the table make a value.</summary>
    public static bool CanBeOf(Value value) => CanBeOf(value, DeepestChain, []);

    /// <summary>The content; null where it cannot be computed.</summary>
    public static Tensor? Of(Value value) => CanBeOf(value) ? Of(value, []) : null;

    /// <summary>The largest of the constants that a value is made of, whose name is the value's.</summary>
    public static Value LargestSource(Value value)
    {
        var (seen, open, largest) = (new HashSet<Value>(), new Stack<Value>([value]), (Value?)null);
        while (open.TryPop(out var next))
        {
            if (!seen.Add(next))
                continue;
            foreach (var input in next.Producer?.Inputs.OfType<Value>().Reverse() ?? [])
                open.Push(input);
            if (next.Producer is null && !(next.Initializer!.Count <= largest?.Initializer!.Count))
                largest = next;
        }

        return largest!;
    }

    /// <summary>A value that was found to be of constants need not be asked again, however many nodes read it.</summary>
    private static bool CanBeOf(Value value, int depth, HashSet<Value> seen)
    {
        if (!seen.Add(value))
            return true;
        return value.Producer is { } node
            ? depth > 0 && node is { Domain: "", Outputs.Count: 1 } && Rows.ContainsKey(node.OpType)
                && node.Inputs.All(i => i is null || CanBeOf(i, depth - 1, seen))
            : value is { Initializer: not null, IsGraphInput: false };
    }

    private static Tensor? Of(Value value, Dictionary<Value, Tensor?> known)
    {
        if (value.Producer is not { } node)
            return value.Initializer;
        if (known.TryGetValue(value, out var before))
            return before;
        var inputs = node.Inputs.Select(i => i is null ? null : Of(i, known)).ToArray();
        var isWhole = inputs.Index().All(i => i.Item is not null || node.Inputs[i.Index] is null) && inputs is [not null, ..];
        return known[value] = isWhole ? Rows[node.OpType](node, inputs) : null;
    }

    private static Tensor? SameBytes(Node node, IReadOnlyList<Tensor?> inputs) =>
        node.Output.Shape?.ToStatic() is { } dims && Count(dims) == inputs[0]!.Count
            ? new Tensor(inputs[0]!.Type, dims, inputs[0]!.Data)
            : null;

    private static Tensor? Transposed(Node node, IReadOnlyList<Tensor?> inputs)
    {
        if (inputs[0]!.AsFloats() is not { } x)
            return null;
        var rank = x.Dims.Length;
        var perm = node.Attributes.Ints("perm") ?? [.. Enumerable.Range(0, rank).Reverse().Select(static i => (long)i)];
        if (perm.Length != rank || !perm.Order().SequenceEqual(Enumerable.Range(0, rank).Select(static i => (long)i)))
            return null;
        ImmutableArray<long> dims = [.. perm.Select(p => x.Dims[(int)p])];
        var strides = ConstantArithmetic.Strides(x.Dims);
        return With(dims, ConstantArithmetic.Gathered(x.ToFloat32(), dims, [.. perm.Select(p => strides[p])]));
    }

    private static Tensor? Joined(Node node, IReadOnlyList<Tensor?> inputs)
    {
        var parts = inputs.Select(static x => x!.AsFloats()?.ToFloat32()).OfType<float[]>().ToArray();
        if (parts.Length < inputs.Count || node.Output.Shape?.ToStatic() is not { } dims || Count(dims) != parts.Sum(static x => x.Length))
            return null;
        var axis = (int)node.Attributes.Int("axis", 0);
        var rows = (int)Count(dims[..(axis < 0 ? axis + dims.Length : axis)]);
        var (joined, place) = (new float[parts.Sum(static x => x.Length)], 0);
        for (var row = 0; row < rows; row++)
        {
            foreach (var part in parts)
            {
                var run = part.Length / rows;
                Array.Copy(part, row * run, joined, place, run);
                place += run;
            }
        }

        return With(dims, joined);
    }

    internal static Tensor With(ImmutableArray<long> dims, float[] numbers) => Tensor.Of<float>(numbers, dims.AsSpan());

    private static Int128 Count(ImmutableArray<long> dims) => dims.Aggregate((Int128)1, static (a, b) => a * b);
}
