using System.Collections.Frozen;
using System.Diagnostics;
using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.PromptLearning;

/// <summary>
/// Computes a matrix that depends on parameters alone, without a runtime: what a prompt's encoder makes, of which files
/// hold the result. The graph itself is read, so that there is one definition of the network. Dropout is off.
/// </summary>
internal static class MatrixEvaluation
{
    private static readonly FrozenDictionary<string, Func<Node, Float32Matrix[], Float32Matrix[]>> Operators =
        new Dictionary<string, Func<Node, Float32Matrix[], Float32Matrix[]>>(StringComparer.Ordinal)
        {
            ["Gemm"] = static (_, x) => [Product(x)],
            ["Add"] = static (_, x) => [x[0].Zip(x[1], static (a, b) => a + b)],
            ["Mul"] = static (_, x) => [x[0].Zip(x[1], static (a, b) => a * b)],
            ["Relu"] = static (_, x) => [x[0].Select(static a => Math.Max(a, 0))],
            ["Tanh"] = static (_, x) => [x[0].Select(MathF.Tanh)],
            ["Sigmoid"] = static (_, x) => [x[0].Select(static a => 1 / (1 + MathF.Exp(-a)))],
            ["Dropout"] = static (_, x) => [x[0]],
            ["Split"] = static (node, x) => Parts(node, x[0]),
            ["Concat"] = static (node, x) => [Float32Matrix.Concat((int)node.Attributes.Int("axis", 0), x)],
        }.ToFrozenDictionary();

    /// <summary>Computes a value.</summary>
    /// <param name="target">The value; encoders make it with the operators listed here.</param>
    /// <param name="parameters">The parameters' content.</param>
    /// <returns><c>[rows, columns] float32</c>.</returns>
    public static Tensor Of(Value target, IReadOnlyDictionary<Value, Tensor> parameters)
    {
        var known = parameters.ToDictionary(static p => p.Key, static p => Float32Matrix.Of(p.Value));
        var needed = NodesBehind(target);
        foreach (var node in target.Graph!.Nodes.Where(needed.Contains))
        {
            if (!Operators.TryGetValue(node.OpType, out var run))
                throw new UnreachableException($"Bug: {node} makes part of a prompt, and cannot be computed here.");
            var operands = node.Inputs.OfType<Value>().Where(known.ContainsKey).Select(i => known[i]).ToArray();
            foreach (var (output, result) in node.Outputs.Zip(run(node, operands)))
                known[output] = result;
        }

        return known[target].ToTensor();
    }

    private static HashSet<Node> NodesBehind(Value target)
    {
        var (nodes, open) = (new HashSet<Node>(), new Stack<Value>([target]));
        while (open.TryPop(out var value))
        {
            if (value.Producer is not { } node || !nodes.Add(node))
                continue;
            foreach (var input in node.Inputs.OfType<Value>())
                open.Push(input);
        }

        return nodes;
    }

    /// <summary>x·Wᵀ + c; encoders transpose every weight.</summary>
    private static Float32Matrix Product(Float32Matrix[] x)
    {
        var product = x[0].TimesTransposed(x[1]);
        return x.Length > 2 ? product.Zip(x[2], static (a, b) => a + b) : product;
    }

    private static Float32Matrix[] Parts(Node split, Float32Matrix x)
    {
        var (axis, start) = ((int)split.Attributes.Int("axis", 0), 0);
        var parts = new List<Float32Matrix>();
        foreach (var length in split.Inputs[1]!.Constant!.ToInt64())
        {
            parts.Add(x.Part(axis, start, (int)length));
            start += (int)length;
        }

        return [.. parts];
    }
}
