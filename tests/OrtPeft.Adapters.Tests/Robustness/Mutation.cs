using OrtPeft.Onnx;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Adapters.Tests.Robustness;

/// <summary>Ways in which a graph is not what its exporter meant it to be.</summary>
internal static class Mutation
{
    private static readonly string[] AxisNames =
        ["axis", "perm", "axes", "transB", "to", "alpha", "num_heads", "keepdims"];

    private static readonly ElementType[] Types =
    [
        ElementType.Float, ElementType.Int64, ElementType.Bool, ElementType.Int32, ElementType.Double,
        ElementType.Undefined,
    ];

    private static readonly Func<Graph, Random, string>[] All =
    [
        DropInput, Rewire, Rewire, ChangeAttribute, DropAttribute, ChangeInputType, ChangeInputShape, ChangeConstant,
        ReplaceOperator, RemoveOutput, AddOutput,
    ];

    /// <summary>Changes a graph at one place.</summary>
    /// <returns>What was done, for the message of a failing test.</returns>
    public static string Apply(Graph graph, Random random) => All[random.Next(All.Length)](graph, random);

    private static string DropInput(Graph graph, Random random)
    {
        var (node, index) = AnyInput(graph, random);
        node.SetInput(index, null);
        return $"{node}: no input {index}";
    }

    /// <summary>Cuts an edge and ties it to any other value, also to one that comes later.</summary>
    private static string Rewire(Graph graph, Random random)
    {
        var (node, index) = AnyInput(graph, random);
        var value = Pick([.. graph.Values], random);
        node.SetInput(index, value);
        return $"{node}: input {index} is {value}";
    }

    private static string ChangeAttribute(Graph graph, Random random)
    {
        var node = Pick(graph.Nodes, random);
        var name = Pick(AxisNames, random);
        var attribute = random.Next(3) switch
        {
            0 => NodeAttribute.Of(name, (long)random.Next(-9, 20)),
            1 => NodeAttribute.Of(name, [random.Next(-4, 9), random.Next(-4, 9)]),
            _ => NodeAttribute.Of(name, "text"),
        };
        node.Attributes.Set(attribute);
        return $"{node}: {name} is {attribute.Kind}";
    }

    private static string DropAttribute(Graph graph, Random random)
    {
        var node = Pick([.. graph.Nodes.Where(static n => n.Attributes.Count > 0)], random);
        var attribute = Pick([.. node.Attributes], random);
        node.Attributes.Remove(attribute.Name);
        return $"{node}: no {attribute.Name}";
    }

    private static string ChangeInputType(Graph graph, Random random)
    {
        var input = Pick([.. graph.Inputs], random);
        input.Type = Pick(Types, random);
        return $"input {input}";
    }

    private static string ChangeInputShape(Graph graph, Random random)
    {
        var input = Pick([.. graph.Inputs], random);
        var dims = Enumerable.Range(0, random.Next(6)).Select(_ => (Dim)random.Next(5)).ToArray();
        input.Shape = random.Next(5) == 0 ? null : Shape.Create(dims);
        return $"input {input}";
    }

    private static string ChangeConstant(Graph graph, Random random)
    {
        var value = Pick(graph.Initializers, random);
        var type = Pick(Types[..^1], random);
        long[] dims = [.. Enumerable.Range(0, random.Next(4)).Select(_ => (long)random.Next(5))];
        var count = dims.Aggregate(1L, static (a, b) => a * b);
        graph.SetInitializer(value, new Tensor(type, [.. dims], new MemoryTensorData(new byte[type.ByteCount(count)])));
        return $"constant {value}";
    }

    private static string ReplaceOperator(Graph graph, Random random)
    {
        var old = Pick(graph.Nodes, random);
        var other = Pick(graph.Nodes, random);
        var names = old.Outputs.Select(o => graph.FreshName($"{o.Name}/mutant"));
        var mutant = graph.AddNode(other.OpType, [.. old.Inputs], names.ToArray(), [], other.Domain, before: old);
        foreach (var (from, to) in old.Outputs.Zip(mutant.Outputs).Where(static p => p.First.Name.Length > 0))
            graph.ReplaceAllUsesWith(from, to);
        graph.Remove(old);
        return $"{mutant} in place of {old}";
    }

    private static string RemoveOutput(Graph graph, Random random)
    {
        if (graph.Outputs.Count == 0)
            return "no output";
        var output = Pick(graph.Outputs, random);
        graph.RemoveOutput(output);
        return $"no output {output.Name}";
    }

    private static string AddOutput(Graph graph, Random random)
    {
        var value = Pick([.. graph.Values.Where(static v => !v.IsGraphOutput)], random);
        graph.AddOutput(value);
        return $"output {value}";
    }

    private static (Node Node, int Index) AnyInput(Graph graph, Random random)
    {
        var node = Pick([.. graph.Nodes.Where(static n => n.Inputs.Count > 0)], random);
        return (node, random.Next(node.Inputs.Count));
    }

    private static T Pick<T>(IReadOnlyList<T> items, Random random) => items[random.Next(items.Count)];
}
