using OrtPeft.Adapters.Tests;
using OrtPeft.Compilation.Rewrites;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Compilation.Tests.Rewrites;

/// <summary>What is picked early and what stays, in small graphs.</summary>
public sealed class RowRegionTests
{
    /// <summary>What makes [batch, 3, 6] of x [batch, 3, 4].</summary>
    public delegate Value Build(GraphBuilder g, Value x);

    /// <summary>How many products have fewer rows afterwards.</summary>
    public static TheoryData<string, int> Cases => new()
    {
        { "two layers", 2 },
        { "positions added", 1 },
        { "positions added last", 0 },
        { "a number per row", 2 },
        { "a sum over positions", 0 },
        { "normalised over two axes", 1 },
        { "a mask of the inner rows' shape", 2 },
        { "the inner shape behind a Reshape", 1 },
        { "rows that are a weight too", 1 },
    };

    private static Dictionary<string, Build> Builds { get; } = new()
    {
        ["two layers"] = static (g, x) => Second(g, First(g, x)),
        ["positions added"] = static (g, x) => Second(g, g.Add(First(g, x), Numbers(g, 1, 3, 4))),
        ["positions added last"] = static (g, x) => g.Add(Second(g, First(g, x)), Numbers(g, 1, 3, 6)),
        ["a number per row"] = static (g, x) =>
            Second(g, g.Mul(First(g, x), g.Op("Slice", x, g.Int64(0), g.Int64(1), g.Int64(2)))),
        ["a sum over positions"] = static (g, x) => g.Mul(Second(g, First(g, x)), g.ReduceSum(x, [1, 2])),
        ["normalised over two axes"] = static (g, x) => Second(g, g.Op(
            "LayerNormalization", [First(g, x), Numbers(g, 3, 4)], NodeAttribute.Of("axis", 1L))),
        ["a mask of the inner rows' shape"] = static (g, x) => Masked(g, Second(g, First(g, x))),
        ["the inner shape behind a Reshape"] = static (g, x) =>
            g.Reshape(Masked(g, Second(g, g.Reshape(First(g, x), -1, 4))), -1, 3, 6),
        ["rows that are a weight too"] = static (g, x) =>
        {
            var rows = g.Op("Slice", g.Reshape(First(g, x), -1, 4), g.Int64(0), g.Int64(4), g.Int64(0));
            rows.Shape = [4, 4];
            var squares = g.MatMul(g.Op("Relu", g.MatMul(rows, Numbers(g, 4, 4))), Numbers(g, 4, 4));
            return g.MatMul(squares, squares);
        },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Run_OnASmallGraph_PicksWhatIsRowByRow(string name, int products)
    {
        var plain = Model(Builds[name]);
        var rewritten = Model(Builds[name]);

        Run(rewritten);

        Assert.Equal(products, rewritten.Graph.Nodes.Count(IsPicked));
        MustAgree(plain, rewritten);
    }

    /// <summary>Somebody else needs all rows, so that picking some would add a product.</summary>
    [Fact]
    public void Run_WhenAllRowsAreRead_LeavesThem()
    {
        var model = Model(static (g, x) =>
        {
            var hidden = Second(g, First(g, x));
            g.Graph.AddOutput(g.ReduceSum(hidden, []));
            return hidden;
        });
        var before = model.Graph.Nodes.Select(static n => n.ToString()).ToArray();

        Run(model);

        Assert.Equal(before, model.Graph.Nodes.Select(static n => n.ToString()));
    }

    /// <summary>Rows may be picked more than once.</summary>
    [Fact]
    public void Run_WhenPlacesAreFed_LeavesTheRows()
    {
        var model = Model(static (g, x) => Second(g, First(g, x)));
        var places = model.Graph.AddInput("places", ElementType.Int64, [Dim.Named("places")]);
        model.Graph.Nodes.Single(static n => n.Is("Gather")).SetInput(1, places);

        Run(model);

        Assert.DoesNotContain(model.Graph.Nodes, IsPicked);
    }

    private static Model Model(Build build) => SmallGraphs.Of((g, _) =>
    {
        var x = g.Graph.AddInput("rows", ElementType.Float, [Dim.Named("batch"), 3, 4]);
        var keep = g.Graph.AddInput("keep", ElementType.Bool, [Dim.Named("length")]);
        var picked = g.Reshape(g.Op("NonZero", keep), -1);
        picked.Shape = [Dim.Named("kept")];
        var hidden = build(g, x);
        return g.Gather(g.Reshape(hidden, -1, hidden.Shape![hidden.Shape.Rank - 1].Value!.Value), picked);
    });

    private static void Run(Model model) =>
        Speedups.All.Single(static s => s.Name == "pick-rows").BeforeGradient!(GraphBuilder.Over(model));

    private static bool IsPicked(Node node) => node.Is("MatMul") && node.Inputs[0] is { Shape.Rank: 2 } x
        && Sources(x).Any(static n => n.Is("Gather"));

    private static IEnumerable<Node> Sources(Value value) => value.Producer is not { } node
        ? []
        : node.Inputs.OfType<Value>().SelectMany(Sources).Prepend(node);

    private static void MustAgree(Model plain, Model rewritten)
    {
        var feeds = new Dictionary<string, Tensor>
        {
            ["x"] = Tensor.Of<float>([0, 0], [1, 2]),
            ["rows"] = Tensor.Of<float>([.. Enumerable.Range(0, 24).Select(static i => MathF.Sin(i))], [2, 3, 4]),
            ["keep"] = new Tensor(ElementType.Bool, [6], Tensor.Of<byte>([0, 1, 1, 1, 0, 0], [6]).Data),
        };
        var (expected, actual) = (OnnxRun.Of(plain, feeds), OnnxRun.Of(rewritten, feeds));
        foreach (var (name, values) in expected)
            Near.Absolute(values, actual[name], 1e-5, name);
    }

    /// <summary>[batch, 3, 4], rectified.</summary>
    private static Value First(GraphBuilder g, Value x) => g.Op("Relu", g.MatMul(x, Numbers(g, 4, 4)));

    /// <summary>[batch, 3, 6], rectified.</summary>
    private static Value Second(GraphBuilder g, Value x) => g.Op("Relu", g.MatMul(x, Numbers(g, 4, 6)));

    /// <summary>Every other number of what is known by its shape only.</summary>
    private static Value Masked(GraphBuilder g, Value x)
    {
        var shape = g.Shape(x);
        var count = g.Op("ReduceProd", [shape], NodeAttribute.Of("keepdims", 0L));
        var numbers = g.Op("Range", g.Int64Scalar(0), count, g.Int64Scalar(1));
        return g.Mul(x, g.Cast(g.ReshapeTo(g.Op("Mod", numbers, g.Int64Scalar(2)), shape), x.Type));
    }

    private static Value Numbers(GraphBuilder g, params long[] dims)
    {
        var count = (int)dims.Aggregate(1L, static (a, b) => a * b);
        return g.Constant(Tensor.Of<float>([.. Enumerable.Range(1, count).Select(static i => MathF.Cos(i))], dims));
    }
}
