using OrtPeft.Onnx;

namespace OrtPeft.Autodiff.Rules;

/// <summary>A <c>Scan</c>'s body, and which of the node's inputs and outputs are states.</summary>
/// <param name="Body">The body; states come first among its inputs and results.</param>
/// <param name="States">The number of states.</param>
/// <param name="Steps">The number of inputs that each step reads a slice of.</param>
/// <param name="Results">The number of results that are stacked.</param>
/// <seealso href="https://onnx.ai/onnx/operators/onnx__Scan.html"/>
internal sealed record ScanForm(Graph Body, int States, int Steps, int Results)
{
    /// <summary>The axis of the steps in each input that is cut.</summary>
    public required long[] InputAxes { get; init; }

    /// <summary>0 where the first step reads the first slice, 1 where it reads the last.</summary>
    public required long[] InputDirections { get; init; }

    /// <summary>The axis of the steps in each result.</summary>
    public required long[] OutputAxes { get; init; }

    /// <summary>0 where the first step's result comes first, 1 where it comes last.</summary>
    public required long[] OutputDirections { get; init; }

    /// <summary>Reads a node that shape inference has checked.</summary>
    /// <exception cref="UnsupportedOpException">The number of axes of what a step reads or makes is not known, as ONNX Runtime
    /// needs it.</exception>
    public static ScanForm Of(RuleContext c)
    {
        var node = c.Node;
        var body = node.Attributes.Graph("body")!;
        var steps = (int)node.Attributes.Int("num_scan_inputs", 0);
        var states = node.Inputs.Count - steps;
        var results = body.Outputs.Count - states;
        foreach (var value in body.Inputs.Concat(body.Outputs))
            _ = c.Rank(value);
        return new ScanForm(body, states, steps, results)
        {
            InputAxes = OfEach(node, "scan_input_axes", steps),
            InputDirections = OfEach(node, "scan_input_directions", steps),
            OutputAxes = OfEach(node, "scan_output_axes", results),
            OutputDirections = OfEach(node, "scan_output_directions", results),
        };
    }

    private static long[] OfEach(Node node, string attribute, int count)
    {
        if (node.Attributes.Ints(attribute) is not { Length: > 0 } numbers)
            return new long[count];
        return numbers.Length == count
            ? numbers
            : throw new GraphException($"{node}: {attribute} has {numbers.Length} entries, not {count}; export the model again.");
    }
}
