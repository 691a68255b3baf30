using OrtPeft.Onnx.Serialization;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Onnx.Tests.IR;

public sealed class GraphFuzzTests
{
    private static readonly Action<Graph, Random>[] Edits =
    [
        static (g, r) => g.AddNode("Neg", [Any(g, r)], [g.FreshName("fuzz")], before: Pick(g.Nodes, r)),
        static (g, r) => g.AddNode("Add", [Any(g, r), Any(g, r)], [g.FreshName("fuzz"), r.Next(9) == 0 ? "taken" : ""]),
        static (g, r) => g.AddInput(r.Next(2) == 0 ? g.FreshName("in") : "taken", ElementType.Float, null),
        static (g, r) => g.AddInitializer(g.FreshName("w"), Tensor.Scalar((float)r.NextDouble())),
        static (g, r) => SetEarlierInput(g, r),
        static (g, r) => g.Remove(Pick(g.Nodes, r)),
        static (g, r) => g.Remove(Any(g, r)),
        static (g, r) => Wrap(g, r),
        static (g, r) => g.Rename(Any(g, r), r.Next(3) == 0 ? "taken" : g.FreshName("renamed")),
        static (g, r) => g.AddOutput(Any(g, r)),
        static (g, r) => g.RemoveOutput(Any(g, r)),
        static (g, r) => g.TurnIntoInput(Any(g, r)),
        static (g, r) => g.SetInitializer(Any(g, r), Tensor.Scalar(1f)),
        static (g, _) => g.SortTopologically(),
        static (g, r) => RemoveDeadCodeSometimes(g, r),
        static (g, r) => g.AddNode("If", [], [g.FreshName("chosen")], [Branch(Any(g, r), 0), Branch(Any(g, r), 1)]),
        static (g, r) => SetBranch(g, r),
        static (g, r) => Holder(g, r)?.Attributes.Remove("branch_1"),
        static (g, r) => PassOn(g, r),
    ];

    [Theory]
    [InlineData("hf442_g2l_past_op17.onnx", 1)]
    [InlineData("nanogpt_g2l_op13.onnx", 2)]
    [InlineData("hf442_g2l_legacymerged_op13__decoder_model_merged.onnx", 3)]
    [InlineData("genai_tiny_random_gpt2_fused/past.onnx", 4)]
    public void RandomEdits_LeaveAValidGraph(string name, int seed)
    {
        var random = new Random(seed);
        var graph = OnnxFile.Load(Fixtures.Graph(name)).Graph;
        graph.AddInput("taken", ElementType.Float, null);
        var refused = 0;

        for (var i = 0; i < 400; i++)
        {
            try
            {
                Edits[random.Next(Edits.Length)](graph, random);
            }
            catch (GraphException)
            {
                refused++;
            }

            graph.SortTopologically();
            GraphValidator.Check(graph);
        }

        Assert.InRange(refused, 1, 399);
    }

    private static Value Any(Graph graph, Random random) => graph.Values.ElementAt(random.Next(graph.Values.Count));

    private static T Pick<T>(IReadOnlyList<T> list, Random random) => list[random.Next(list.Count)];

    private static NodeAttribute Branch(Value read, int number)
    {
        var branch = new Graph("branch", read.Graph);
        branch.AddOutput(branch.AddNode("Neg", [read], ["inner"]).Output);
        return NodeAttribute.Of($"branch_{number}", branch);
    }

    private static Node? Holder(Graph graph, Random random)
    {
        var holders = graph.Nodes.Where(static n => n.Is("If")).ToList();
        return holders.Count > 0 ? Pick(holders, random) : null;
    }

    private static void SetBranch(Graph graph, Random random)
    {
        if (Holder(graph, random) is { } holder)
            holder.Attributes.Set(Branch(Earlier(holder, random), random.Next(3)));
    }

    private static void PassOn(Graph graph, Random random)
    {
        if (Holder(graph, random) is { } holder)
            holder.Subgraphs.FirstOrDefault()?.AddOutput(Earlier(holder, random));
    }

    private static void SetEarlierInput(Graph graph, Random random)
    {
        var node = Pick(graph.Nodes, random);
        node.SetInput(random.Next(3), random.Next(4) == 0 ? null : Earlier(node, random));
    }

    private static Value Earlier(Node node, Random random)
    {
        var made = node.Graph!.Nodes.TakeWhile(n => n != node).SelectMany(static n => n.Outputs);
        return Pick(made.Concat(node.Graph.Inputs).ToList(), random);
    }

    private static void Wrap(Graph graph, Random random)
    {
        var value = Any(graph, random);
        var wrapped = graph.AddNode("Identity", [value], [graph.FreshName("wrapped")]);
        graph.ReplaceAllUsesWith(value, wrapped.Output, wrapped);
    }

    private static void RemoveDeadCodeSometimes(Graph graph, Random random)
    {
        if (random.Next(20) == 0)
            graph.RemoveDeadCode();
    }
}
