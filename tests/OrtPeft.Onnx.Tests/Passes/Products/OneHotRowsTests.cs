using Microsoft.ML.OnnxRuntime;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes.Products;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Tests.Passes.Products;

/// <summary>An embedding written as a product of one-hot rows.</summary>
public sealed class OneHotRowsTests
{
    private const int Tokens = 7;
    private const int Width = 3;

    private static readonly Dictionary<string, Func<GraphBuilder, Value, Value>> Lookups = new()
    {
        ["floats"] = static (g, ids) => g.MatMul(Hot(g, ids, Tensor.Vector(0f, 1)), Table(g)),
        ["last axis by number"] = static (g, ids) => g.MatMul(Hot(g, ids, Tensor.Vector(0f, 1), axis: 2), Table(g)),
        ["integers, cast"] = static (g, ids) =>
            g.MatMul(g.Cast(Hot(g, ids, Tensor.Vector(0L, 1)), ElementType.Float), Table(g)),
        ["turned matrix"] = static (g, ids) => g.MatMul(Hot(g, ids, Tensor.Vector(0f, 1)), g.Transpose(Table(g, isTurned: true), 1, 0)),
    };

    private static readonly Dictionary<string, Func<GraphBuilder, Value, Value>> Others = new()
    {
        ["off is not 0"] = static (g, ids) => g.MatMul(Hot(g, ids, Tensor.Vector(0.5f, 1)), Table(g)),
        ["on is not 1"] = static (g, ids) => g.MatMul(Hot(g, ids, Tensor.Vector(0f, 2)), Table(g)),
        ["another axis"] = static (g, ids) =>
            g.MatMul(g.Transpose(Hot(g, ids, Tensor.Vector(0f, 1), axis: 0), 1, 2, 0), Table(g)),
    };

    public static TheoryData<string> LookupNames => [.. Lookups.Keys];

    public static TheoryData<string> OtherNames => [.. Others.Keys];

    [Theory]
    [MemberData(nameof(LookupNames))]
    public void Run_OnAProductOfOneHotRows_PicksRows(string form)
    {
        var model = Build(Lookups[form]);

        SameResults.Check(model, OneHotRows.Run, Ids());

        Assert.Single(model.Graph.Nodes, static n => n.Is("Gather"));
        Assert.DoesNotContain(model.Graph.Nodes, static n => n.Is("OneHot") || n.Is("MatMul"));
    }

    [Theory]
    [MemberData(nameof(OtherNames))]
    public void Run_OnAnotherProduct_LeavesIt(string form)
    {
        var model = Build(Others[form]);

        OneHotRows.Run(model);

        Assert.Single(model.Graph.Nodes, static n => n.Is("MatMul"));
    }

    private static Dictionary<string, OrtValue> Ids() => new()
    {
        ["ids"] = OrtValue.CreateTensorValueFromMemory((long[])[1, 0, 6, 6, -1, 3], [2, 3]),
    };

    private static Model Build(Func<GraphBuilder, Value, Value> build)
    {
        var model = new Model(21);
        var g = GraphBuilder.Over(model);
        var y = build(g, g.Graph.AddInput("ids", ElementType.Int64, [2, 3]));
        g.Graph.Rename(y, "y");
        g.Graph.AddOutput(y);
        return model;
    }

    private static Value Hot(GraphBuilder g, Value ids, Tensor offOn, long axis = -1) =>
        g.Op("OneHot", [ids, g.Int64Scalar(Tokens), g.Constant(offOn)], NodeAttribute.Of("axis", axis));

    private static Value Table(GraphBuilder g, bool isTurned = false) => g.Graph.AddInitializer(
        "wte", Tensor.Of<float>([.. Enumerable.Range(0, Tokens * Width).Select(static i => i / 4f)], isTurned ? [Width, Tokens] : [Tokens, Width]));
}
