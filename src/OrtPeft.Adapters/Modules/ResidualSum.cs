using OrtPeft.Onnx;

namespace OrtPeft.Adapters.Modules;

/// <summary>Where the result of a block's last layer meets the residual connection.</summary>
/// <param name="Node">The <c>Add</c>.</param>
/// <param name="Residual">What the block read: the sum's other operand.</param>
internal sealed record ResidualSum(Node Node, Value Residual)
{
    /// <summary>Finds the sum after a layer.</summary>
    /// <exception cref="ConfigException">The layer's result does not go into one.</exception>
    public static ResidualSum After(LinearModule module)
    {
        var made = module.BiasAdd?.Output ?? module.Node.Output;
        while (made.Uses.Count == 1 && made.Uses[0].Node is { OpType: "Reshape" or "Identity" or "Dropout" } passed)
            made = passed.Output;
        foreach (var sum in made.Uses.Select(static u => u.Node).Where(static n => n.Is("Add")))
        {
            var other = sum.Inputs[0] == made ? sum.Inputs[1]! : sum.Inputs[0]!;
            if (other.Constant is null && IsBehind(other, module.Node))
                return new ResidualSum(sum, other);
        }

        throw new ConfigException(
            $"{module.Name}: no residual connection adds what the block read to this layer's result; give "
            + "original_ln_before=false and is_parallel=false, or other target_modules.");
    }

    /// <summary>Whether a node's result depends on a value.</summary>
    private static bool IsBehind(Value value, Node node)
    {
        var (seen, open) = (new HashSet<Node>(), new Stack<Node>([node]));
        while (open.TryPop(out var next))
        {
            if (next.Inputs.Contains(value))
                return true;
            foreach (var producer in next.Inputs.Select(static i => i?.Producer).OfType<Node>().Where(seen.Add))
                open.Push(producer);
        }

        return false;
    }
}
