using OrtPeft.Artifacts;
using OrtPeft.Inference.Evaluation;
using OrtPeft.Inference.Generation;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Runtime.Feeding;
using OrtPeft.Tensors;
using OrtPeft.Training.Data;
using OrtPeft.Training.Tests.Verdicts;

namespace OrtPeft.Training.Tests.Data;

/// <summary>Rows times columns beyond what arrays hold, and axes beyond an int, are refused and never wrap round.</summary>
public sealed class SizeTests
{
    private const int Many = 1 << 16;

    private static readonly Dictionary<string, Action> Products = new(StringComparer.Ordinal)
    {
        ["batch"] = static () => _ = new RowMatrix(Many, Many),
        ["pairs of tokens"] = static () => DecoderInputs.Of(new TinyDecoder { Mask = "4" }.Build().Graph)
            .Feed(new long[Many], rows: 1).Dispose(),
        ["parts"] = static () => new FixedAxes(Many, Many).Split(OneRow()),
        ["measure"] = static () => FeedSize.Of(3, 1L << 62),
    };

    private static readonly Dictionary<string, TinyDecoder> Graphs = new(StringComparer.Ordinal)
    {
        ["batch"] = new() { Batch = (1L << 32) + 2 },
        ["length"] = new() { Length = (1L << 32) + 4 },
        ["no row"] = new() { Batch = 0 },
        ["no token"] = new() { Length = 0 },
        ["both"] = new() { Batch = Many, Length = Many },
    };

    public static TheoryData<string> OfProducts => [.. Products.Keys];

    public static TheoryData<string> OfGraphs => [.. Graphs.Keys];

    [Theory]
    [MemberData(nameof(OfProducts))]
    public void Product_BeyondAnArray_IsRefused(string name)
    {
        var error = Assert.Throws<SettingException>(Products[name]);

        Assert.Contains("BatchSize", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Theory]
    [MemberData(nameof(OfGraphs))]
    public void Graph_WithSuchAxes_IsRefusedByWhateverFeedsIt(string name)
    {
        var model = Graphs[name].Build();
        Action[] users =
        [
            () => CausalityCheck.ProblemOf(model), () => Generator.Open(model).Dispose(),
            () => LogitsComparison.Compare(model, model, [[1]]),
        ];

        foreach (var use in users)
        {
            var error = Assert.ThrowsAny<Exception>(use);
            Assert.True(error is GraphException or SettingException or UnsupportedOpException, error.ToString());
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData((1L << 32) + 4)]
    public void FixedAxes_OfAnAxisOutOfRange_AreRefused(long length)
    {
        ArtifactDim[] dims = [ArtifactDim.Of(length), ArtifactDim.Of(4)];
        var ids = new ArtifactValue { Name = DecoderNames.Ids, Role = ValueRoles.Data, Dims = dims };

        var error = Assert.Throws<OnnxFormatException>(() => FixedAxes.Of([ids]));

        Assert.Contains($"{length}", error.Message, StringComparison.Ordinal);
    }

    private static Batch OneRow()
    {
        var numbers = Tensor.Of<long>([1, 1], [1, 2]);
        string[] names = [DecoderNames.Ids, DecoderNames.Labels, DecoderNames.Mask];
        return new(names.ToDictionary(static n => n, _ => numbers), 1, 2);
    }
}
