using System.Collections.Immutable;
using System.Text.RegularExpressions;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Kernels;

/// <summary>
/// A fused operator's operands and results, in one line such as <c>dY[..., n], X[..., n], scale[n], addend?[..., n] →
/// dX[..., n]</c>. It is the operator's documentation, its shape rule, its registration with ONNX Runtime, and the
/// check of every node and every run.
/// </summary>
/// <remarks>
/// An operand is a name, <c>~</c> where rounding it to bfloat16 does no more than that, <c>?</c> where it may be missing, <c>:int64</c> where it is not floating-point or <c>:any</c>
/// where it may have any type, and an <see cref="AxisPattern"/>.
/// </remarks>
public sealed partial class OpSignature
{
    private OpSignature(string text, ImmutableArray<Operand> inputs, ImmutableArray<Operand> outputs) =>
        (Text, Inputs, Outputs) = (text, inputs, outputs);

    /// <summary>The line.</summary>
    public string Text { get; }

    /// <summary>The operator's inputs, in order.</summary>
    public ImmutableArray<Operand> Inputs { get; }

    /// <summary>The operator's outputs, in order.</summary>
    public ImmutableArray<Operand> Outputs { get; }

    /// <summary>Reads a signature.</summary>
    /// <param name="text">Inputs, an arrow, outputs.</param>
    /// <returns>The signature.</returns>
    /// <exception cref="ArgumentException">The text is not a signature.</exception>
    public static OpSignature Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Split('→') is [var inputs, var outputs]
            ? new OpSignature(text, Operands(inputs), Operands(outputs))
            : throw new ArgumentException($"'{text}' has no arrow.", nameof(text));
    }

    /// <summary>Gives a node's outputs their type, which is that of the first floating-point input where none is stated,
    /// and the axes that its inputs tell.</summary>
    /// <param name="node">The node.</param>
    /// <exception cref="GraphException">An input is missing, too many, or of other axes.</exception>
    internal void Infer(Node node)
    {
        var binding = OfGraph();
        if (Bind(binding, [.. node.Inputs]) is { } misfit)
            throw new GraphException($"{node}: {misfit}: {Text}.");

        var type = Inputs.Zip(node.Inputs).First(static i => i.First.Type is ElementType.Float).Second!.Type;
        foreach (var (operand, output) in Outputs.Zip(node.Outputs))
        {
            output.Type = operand.Type is ElementType.Float ? type : operand.Type;
            output.Shape = binding.Of(operand.Axes) is { } dims ? [.. dims] : null;
        }
    }

    /// <summary>Whether a node of the operator may read these values.</summary>
    /// <param name="inputs">The values; null for one that is left out.</param>
    /// <returns>Whether none is missing or too many, and no axes contradict each other.</returns>
    internal bool Fits(ReadOnlySpan<Value?> inputs) => Bind(OfGraph(), inputs) is null;

    /// <summary>Begins to check the axes of a run.</summary>
    internal static AxisBinding<long> OfRun() => new(static n => n, static (a, b) => a != b);

    /// <summary>The first input that must be there and has an output's axes; −1 where ONNX Runtime learns them when
    /// the node runs.</summary>
    internal int InputLike(int output) => Outputs[output].Axes.Names.Contains("*") ? -1 : Inputs.Index()
        .Where(i => !i.Item.IsOptional && !i.Item.Axes.IsOpen && i.Item.Axes.Text == Outputs[output].Axes.Text)
        .Select(static i => i.Index).DefaultIfEmpty(-1).First();

    /// <inheritdoc/>
    public override string ToString() => Text;

    private static AxisBinding<Dim> OfGraph() =>
        new(static n => n, static (a, b) => a.Value is { } x && b.Value is { } y && x != y);

    /// <summary>Takes the axes of all inputs over; returns what does not fit, or null.</summary>
    private string? Bind(AxisBinding<Dim> binding, ReadOnlySpan<Value?> inputs)
    {
        if (inputs.Length > Inputs.Length)
            return $"{inputs.Length} inputs, not {Inputs.Length}";
        for (var i = 0; i < Inputs.Length; i++)
        {
            var (operand, input) = (Inputs[i], i < inputs.Length ? inputs[i] : null);
            if (input is null && !operand.IsOptional)
                return $"{operand.Name} is missing";
            if (input?.Shape is { } shape && binding.Bind(operand, shape) is { } misfit)
                return misfit;
        }

        return null;
    }

    private static ImmutableArray<Operand> Operands(string text) =>
    [
        .. Pattern().Matches(text).Select(static m => new Operand(
            m.Groups["name"].Value,
            AxisPattern.Parse(m.Groups["axes"].Value),
            TypeOf(m.Groups["type"].Value),
            m.Groups["optional"].Success,
            m.Groups["roundable"].Success)),
    ];

    private static ElementType TypeOf(string name) => name switch
    {
        "" => ElementType.Float,
        "any" => ElementType.Undefined,
        _ => Enum.Parse<ElementType>(name, ignoreCase: true),
    };

    [GeneratedRegex(@"(?<name>\w+)(?<roundable>~)?(?<optional>\?)?(:(?<type>\w+))?\[(?<axes>[^\]]*)\]")]
    private static partial Regex Pattern();
}
