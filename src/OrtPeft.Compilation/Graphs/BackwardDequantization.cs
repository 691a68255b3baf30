using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Graphs;

/// <summary>
/// Gives each matrix product of the gradient its own dequantisation, so that a dequantised weight lives no longer than
/// one product. Reading the forward pass's, each would stay in memory from there to here.
/// </summary>
/// <remarks>
/// Equal nodes would be merged again by ONNX Runtime. So the copy has a factor of one that is computed from the
/// product's other operand, the gradient from above: that also holds the copy back until the gradient has arrived.
/// </remarks>
internal static class BackwardDequantization
{
    /// <summary>Runs the pass in place. What the loss follows from reads what it did.</summary>
    /// <param name="g">Adds nodes to the graph.</param>
    public static void Run(GraphBuilder g)
    {
        var forward = LeadingTo(g.Graph.Find(TrainingGraph.LossSum)!);
        foreach (var node in g.Graph.Nodes.ToArray())
        {
            if (node.Outputs.Count != 1 || QuantizedWeight.Find(node.Output) is not { } weight)
                continue;
            foreach (var use in node.Output.Uses.Where(u => !forward.Contains(u.Node)).ToArray())
                Separate(g, weight, use);
        }

        g.Before = null;
    }

    private static HashSet<Node> LeadingTo(Value result)
    {
        var nodes = new HashSet<Node>();
        var open = new Stack<Value>([result]);
        while (open.TryPop(out var value))
        {
            if (value.Producer is { } node && nodes.Add(node))
                Array.ForEach([.. node.Inputs.OfType<Value>()], open.Push);
        }

        return nodes;
    }

    private static void Separate(GraphBuilder g, QuantizedWeight weight, Use use)
    {
        var reader = use.Node;
        var isProduct = (reader.Is("Gemm") || reader.Is("MatMul")) && use.Index < 2;
        if (!isProduct || reader.Inputs[1 - use.Index] is not { Shape.Rank: 2, Initializer: null } gradient)
            return;
        g.Before = reader;
        g.Scope = "/gradient/dequantize";
        reader.SetInput(use.Index, weight.Again(g, One(g, gradient)));
    }

    /// <summary>
    /// 1 where the first number of some row equals itself; where all are NaN the product is NaN either way, and where
    /// there are no rows nothing is multiplied.
    /// </summary>
    private static Value One(GraphBuilder g, Value gradient)
    {
        var column = g.Op("Slice", gradient, g.Int64(0), g.Int64(1), g.Int64(1));
        var numbers = g.ReduceSum(g.Cast(g.Op("Equal", column, column), ElementType.Float), [], keepDims: false);
        return g.Op("Min", numbers, g.Scalar(ElementType.Float, 1));
    }
}
