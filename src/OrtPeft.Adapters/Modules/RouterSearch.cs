using OrtPeft.Onnx;

namespace OrtPeft.Adapters.Modules;

/// <summary>Tells the layers that choose experts from other linear layers, by what becomes of their results.</summary>
internal static class RouterSearch
{
    /// <summary>Operators that may stand between the scores of experts and the choice among them.</summary>
    private static readonly HashSet<string> OnTheWay =
    [
        "Add", "Cast", "Div", "Identity", "Mul", "Reshape", "Sigmoid", "Softmax", "Squeeze", "Sub", "Transpose",
        "Unsqueeze", "Where",
    ];

    /// <summary>
    /// Whether a product's result, scaled, biased or normalised as it may be, is what a <c>TopK</c> chooses from. HF's
    /// routers are bare parameters, which <c>all-linear</c> does not mean.
    /// </summary>
    public static bool IsRouter(Node product)
    {
        var seen = new HashSet<Node>();
        var open = new Queue<Value>([product.Output]);
        while (open.TryDequeue(out var value))
        {
            foreach (var use in value.Uses)
            {
                if (use.Node.Is("TopK") && use.Index == 0)
                    return true;
                if (OnTheWay.Contains(use.Node.OpType) && use.Node.Domain.Length == 0 && seen.Add(use.Node))
                    open.Enqueue(use.Node.Output);
            }
        }

        return false;
    }
}
