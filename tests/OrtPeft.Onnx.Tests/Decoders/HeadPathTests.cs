using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Tests.Decoders;

public sealed class HeadPathTests
{
    private const int Width = 4;
    private const int Vocabulary = 6;

    /// <summary>What models do behind the head, and how many nodes that takes.</summary>
    public static TheoryData<string, int> Forms => new()
    {
        { "plain", 0 }, { "bias", 1 }, { "bias first", 1 }, { "scale", 1 }, { "divide", 1 }, { "softcap", 3 },
        { "masked words", 1 }, { "added mask", 1 }, { "cut", 1 }, { "cast", 1 }, { "reshape", 1 }, { "turned", 1 },
        { "log-softmax", 1 }, { "low-rank update", 1 }, { "low-rank update first", 1 }, { "computed scale", 1 },
    };

    [Theory]
    [MemberData(nameof(Forms))]
    public void To_WhenMoreIsDoneToTheLogits_FindsTheProduct(string form, int nodes)
    {
        var (logits, head) = Build(form);

        var path = HeadPath.To(logits, IsProduct);

        Assert.Same(head.Producer, path!.Product);
        Assert.Equal(nodes, path.After.Count);
    }

    [Theory]
    [InlineData("plain", true)]
    [InlineData("reshape", true)]
    [InlineData("bias", false)]
    [InlineData("softcap", false)]
    [InlineData("cut", false)]
    [InlineData("turned", false)]
    public void IsPlain_SaysWhetherTheProductIsTheOutput(string form, bool plain)
    {
        var path = HeadPath.To(Build(form).Logits, IsProduct)!;

        Assert.Equal(plain, path.IsPlain);
    }

    [Theory]
    [InlineData("residual")]
    [InlineData("residual, scaled")]
    [InlineData("normalised")]
    public void To_WhenHiddenStatesComeOut_FindsNone(string form)
    {
        Assert.Null(HeadPath.To(Build(form).Logits, IsProduct));
    }

    /// <summary>Each node is looked at once, however many ways lead to it.</summary>
    [Fact]
    public void To_WhenWaysDoubleAtEveryNode_EndsAtOnce()
    {
        var (g, h) = Start();
        var y = g.MatMul(h, Matrix(g, "head", Width, Vocabulary));
        var product = y.Producer;
        for (var i = 0; i < 200; i++)
            y = g.Add(y, y);

        Assert.Same(product, HeadPath.To(y, IsProduct)!.Product);
    }

    private static (Value Logits, Value Head) Build(string form)
    {
        var (g, h) = Start();
        var y = g.MatMul(h, Matrix(g, "head", Width, Vocabulary));
        return (After(form, g, h, y), y);
    }

    private static Value After(string form, GraphBuilder g, Value h, Value y)
    {
        var vector = g.Constant(Tensor.Vector(1f, 2f, 3f, 4f, 5f, 6f), "vector");
        return form switch
        {
            "plain" => y,
            "bias" => g.Add(y, vector),
            "bias first" => g.Add(vector, y),
            "scale" => g.Mul(y, 0.5),
            "divide" => g.Div(y, g.Scalar(ElementType.Float, 8)),
            "softcap" => g.Mul(g.Op("Tanh", g.Div(y, g.Scalar(ElementType.Float, 30))), 30),
            "masked words" => g.Op("Where", g.Op("Less", vector, g.Scalar(ElementType.Float, 5)), y, vector),
            "added mask" => g.Add(y, g.Cast(g.Op("Less", vector, g.Scalar(ElementType.Float, 5)), ElementType.Float)),
            "cut" => g.Op("Slice", y, g.Int64(0), g.Int64(5), g.Int64(2)),
            "cast" => g.Cast(y, ElementType.Double),
            "reshape" => g.Reshape(y, -1, Vocabulary),
            "turned" => g.Transpose(y, 1, 0, 2),
            "log-softmax" => g.Op("LogSoftmax", y),
            "low-rank update" => g.Add(y, LowRank(g, h)),
            "low-rank update first" => g.Add(LowRank(g, h), y),
            "computed scale" => g.Mul(y, g.Op("Sigmoid", g.MatMul(h, Matrix(g, "gate", Width, 1)))),
            "residual" => g.Add(h, g.MatMul(g.Op("Relu", h), Matrix(g, "down", Width, Width))),
            "residual, scaled" => g.Mul(g.Add(g.MatMul(g.Op("Relu", h), Matrix(g, "down", Width, Width)), h), 2),
            "normalised" => g.Op("LayerNormalization", h, g.Constant(Tensor.Vector(1f, 1f, 1f, 1f), "scale")),
            _ => throw new ArgumentOutOfRangeException(nameof(form), form, "No such form."),
        };
    }

    private static (GraphBuilder Builder, Value Hidden) Start()
    {
        var model = new Model(opset: 21);
        var g = new GraphBuilder(model.Graph, new ShapeInference(21));
        var ids = model.Graph.AddInput("input_ids", ElementType.Int64, [Dim.Named("batch"), Dim.Named("sequence")]);
        return (g, g.Op("Identity", g.Gather(Matrix(g, "embedding", Vocabulary, Width), ids)));
    }

    private static Value LowRank(GraphBuilder g, Value h) =>
        g.MatMul(g.MatMul(h, Matrix(g, "lora_A", Width, 2)), Matrix(g, "lora_B", 2, Vocabulary));

    private static Value Matrix(GraphBuilder g, string name, int rows, int columns) =>
        g.Graph.AddInitializer(name, Tensor.Of<float>(new float[rows * columns], [rows, columns]));

    private static bool IsProduct(Node node) => node.Is("MatMul") && node.Inputs[1]!.Initializer is not null;
}
