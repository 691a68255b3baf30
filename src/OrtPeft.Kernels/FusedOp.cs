using OrtPeft.Autodiff;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Kernels;

/// <summary>
/// An operator that does at once what several standard ones do: all that the compiler and ONNX Runtime know of it. It
/// is put into a training graph before the graph is differentiated (<see cref="Raise"/>), has a row in the gradient
/// table (<see cref="Gradient"/>), and in the end either runs as machine code of OrtPeft's own or becomes standard
/// operators again (<see cref="Lower"/>): files have no other.
/// </summary>
public sealed record FusedOp
{
    /// <summary>The operators' domain.</summary>
    public const string Domain = Model.OwnDomain;

    /// <summary>The operator's name in its domain.</summary>
    public required string Name { get; init; }

    /// <summary>Its inputs and outputs.</summary>
    public required OpSignature Signature { get; init; }

    /// <summary>Finds it in a graph of standard operators, in place; null for one that another operator's gradient, an
    /// objective or a rewrite makes.</summary>
    public RaisingRule? Raise { get; init; }

    /// <summary>Its row in the gradient table; null where nothing differentiates it.</summary>
    public GradientRule? Gradient { get; init; }

    /// <summary>It in standard operators; null for one that reads an order of memory that only kernels know, which
    /// rewrites make where kernels run.</summary>
    public LoweringRule? Lower { get; init; }

    /// <summary>Whether the kernel takes a node whose floating-point operands are float32. Default: every one.</summary>
    public Func<Node, bool> Fits { get; init; } = static _ => true;

    /// <summary>Whether there is machine code for it, here or in an operator that a rewrite puts in its place.</summary>
    public bool HasKernel { get; init; } = true;

    /// <summary>Whether it costs no more than passes over its operands do. Default false.</summary>
    public bool IsPass { get; init; }

    /// <summary>Whether its first output is its first input's memory. Default false.</summary>
    public bool IsView { get; init; }

    /// <summary>Computes it on the CPU; null where a rewrite has to put another operator in its place first.</summary>
    internal KernelBody? Run { get; init; }

    /// <summary>Whether the first output may overwrite the first input where nothing reads that any more. Default
    /// false.</summary>
    public bool RunsInPlace { get; init; }

    /// <summary>Adds a node of the operator.</summary>
    /// <param name="g">Where to.</param>
    /// <param name="inputs">What it reads; null leaves an optional one out.</param>
    /// <param name="attributes">Its constants.</param>
    /// <returns>Its outputs, whose types and axes the signature tells.</returns>
    /// <exception cref="GraphException">The inputs do not fit the signature.</exception>
    public IReadOnlyList<Value> Apply(
        GraphBuilder g, ReadOnlySpan<Value?> inputs, params ReadOnlySpan<NodeAttribute> attributes)
    {
        ArgumentNullException.ThrowIfNull(g);
        var outputs = g.Ops(Name, Signature.Outputs.Length, inputs, attributes, Domain);
        Signature.Infer(outputs[0].Producer!);
        return outputs;
    }

    /// <summary>Whether a node is of the operator.</summary>
    /// <param name="node">Any node, or null.</param>
    /// <returns>Whether it is.</returns>
    public bool Is(Node? node) => node is { Domain: Domain } && node.OpType == Name;

    /// <summary>Whether the kernel takes a node.</summary>
    /// <param name="node">A node of the operator.</param>
    /// <returns>Whether there is a kernel, all floating-point operands are float32, and it fits.</returns>
    public bool Takes(Node node)
    {
        ArgumentNullException.ThrowIfNull(node);
        return HasKernel && Fits(node) && Signature.Inputs.Zip(node.Inputs)
            .All(static i => i.First.Type is not ElementType.Float || i.Second is null or { Type: ElementType.Float });
    }
}
