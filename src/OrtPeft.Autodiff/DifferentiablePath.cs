using OrtPeft.Onnx;

namespace OrtPeft.Autodiff;

/// <summary>The nodes and values between trainable parameters and the loss, along floating-point values only.</summary>
public sealed class DifferentiablePath
{
    private DifferentiablePath(HashSet<Node> nodes, HashSet<Value> values)
    {
        Nodes = nodes;
        Values = values;
    }

    /// <summary>The nodes to differentiate.</summary>
    public IReadOnlySet<Node> Nodes { get; }

    /// <summary>The values that need a gradient.</summary>
    public IReadOnlySet<Value> Values { get; }

    /// <summary>Finds the path.</summary>
    /// <param name="sources">The values to differentiate with respect to.</param>
    /// <param name="targets">The values that the loss is computed from.</param>
    /// <returns>What lies between, both ends included.</returns>
    public static DifferentiablePath Between(IEnumerable<Value> sources, IEnumerable<Value> targets)
    {
        var forward = Reach(sources, static v => v.Uses.SelectMany(static u => u.Node.Outputs));
        var backward = Reach(targets, static v => v.Producer?.Inputs.OfType<Value>() ?? []);
        forward.IntersectWith(backward);
        var nodes = forward.Select(static v => v.Producer).OfType<Node>()
            .Where(n => n.Inputs.Any(i => i is not null && forward.Contains(i)));
        return new DifferentiablePath([.. nodes], forward);
    }

    private static HashSet<Value> Reach(IEnumerable<Value> start, Func<Value, IEnumerable<Value>> next)
    {
        var reached = new HashSet<Value>();
        var pending = new Stack<Value>(start);
        while (pending.TryPop(out var value))
        {
            var carriesGradient = value.Type == ElementType.Undefined || value.Type.IsFloating();
            if (!carriesGradient || !reached.Add(value))
                continue;
            foreach (var neighbour in next(value))
                pending.Push(neighbour);
        }

        return reached;
    }
}
