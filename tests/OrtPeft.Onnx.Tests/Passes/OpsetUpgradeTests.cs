using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Tests.Corpus;
using OrtPeft.Onnx.Tests.Shapes;

namespace OrtPeft.Onnx.Tests.Passes;

public sealed class OpsetUpgradeTests
{
    private static readonly Dictionary<string, long> Symbols = new() { ["B"] = 2, ["S"] = 3 };

    public static TheoryData<string> Cases => [.. All];

    internal static IEnumerable<string> All =>
    [
        "Slice(float[B,9]) starts=[2] ends=[5] axes=[1] opset=9",
        "Slice(float[B,9]) starts=[1,2] ends=[2,5] opset=7",
        "TopK(float[B,9]) k=2 axis=1 outputs=2 opset=9",
        "Clip(float[B,9]) min=0.1f max=0.2f opset=10",
        "Clip(float[B,9]) max=0.2f opset=7",
        "Clip(float[B,9]) opset=10",
        "Pad(float[B,S]) pads=[1,0,2,3] opset=10",
        "Pad(float[B,S]) pads=[1,0,2,3] value=2.5f opset=7",
        "Pad(float[B,S]) pads=[0,1,0,1] mode='reflect' opset=10",
        "Scatter(float[B,3]; int64[B,3]; float[B,3]) axis=1 opset=9",
        "Dropout(float[B,S]) ratio=0.5f opset=7",
        "Dropout(float[B,S]) ratio=0.5f opset=10",
        "Softmax(float[B,S,4]) opset=11",
        "Softmax(float[B,S,4]) axis=2 opset=11",
        "Softmax(float[B,S,4]) axis=0 opset=12",
        "Softmax(float[B,S,4]) axis=-2 opset=12",
        "Softmax(float[B,S,4]) axis=-1 opset=12",
        "LogSoftmax(float[B,S,4]) axis=1 opset=7",
        "Hardmax(float[B,S,4]) axis=1 opset=12",
        "Squeeze(float[B,1,S,1]) axes=[1,3] opset=11",
        "Squeeze(float[2,1,3]) opset=7",
        "Unsqueeze(float[B,S]) axes=[0,3] opset=12",
        "ReduceSum(float[B,S,3]) axes=[1] opset=11",
        "ReduceSum(float[B,S,3]) keepdims=0 opset=7",
        "ReduceMean(float[B,S,3]) axes=[-1] keepdims=0 opset=13",
        "ReduceMax(float[B,S,3]) axes=[0,1] opset=12",
        "ReduceMin(float[B,S,3]) axes=[0,1] opset=17",
        "ReduceProd(float[B,S,3]) axes=[2] opset=17",
        "ReduceL1(float[B,S,3]) axes=[2] opset=17",
        "ReduceL2(float[B,S,3]) axes=[2] opset=17",
        "ReduceLogSum(float[B,S,3]) axes=[2] opset=17",
        "ReduceLogSumExp(float[B,S,3]) axes=[2] opset=17",
        "ReduceSumSquare(float[B,S,3]) axes=[2] opset=17",
        "Split(float[B,6]) axis=-1 split=[1,5] outputs=2 opset=11",
        "Split(float[B,6]) axis=1 outputs=3 opset=7",
        "Split(float[B,6]) axis=1 outputs=3 opset=13",
        "Split(float[B,6]; =2,4) axis=1 outputs=2 opset=14",
        "BatchNormalization(float[B,4,S]; float[4]; float[4]; float[4]; float[4]) spatial=1 opset=8",
        "BatchNormalization(float[B,4,S]; float[4]; float[4]; float[4]; float[4]) epsilon=0.1f opset=13",
        "Resize(float[B,1,S,4]; f=1,1,2,2) opset=10",
        "Resize(float[B,1,S,4]; f=1,1,2,1.5) mode='linear' opset=10",
        "RoiAlign(float[B,1,9,9]; float[2,4]; int64[2]) output_height=2 output_width=2 opset=10",
        "DFT(float[B,4,S,1]) axis=2 opset=17",
        "DFT(float[B,S,1]) opset=19",
        "GridSample(float[B,1,S,4]; float[B,2,2,2]) opset=16",
        "GridSample(float[B,1,S,4]; float[B,2,2,2]) mode='bicubic' opset=18",
        "GridSample(float[B,1,S,4]; float[B,2,2,2]) mode='nearest' opset=18",
        "GroupNormalization(float[B,4,S]; float[2]; float[2]) num_groups=2 opset=18",
        "GroupNormalization(float[B,6,S,2]; float[3]; float[3]) num_groups=3 epsilon=0.1f opset=20",
    ];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Run_OnAnOlderNode_KeepsWhatItComputes(string text)
    {
        var model = new OpCase(text).Build();

        SameResults.Check(model, OpsetUpgrade.Run, OpInputs.For(model.Graph, Symbols), 1e-7f);

        Assert.Equal(CanonicalForm.Opset, model.Opset);
    }

    [Theory]
    [InlineData(
        "BatchNormalization(float[B,4,S]; float[4]; float[4]; float[4]; float[4]) spatial=0 opset=8", "spatial=0")]
    [InlineData(
        "BatchNormalization(float[B,4,S]; float[4]; float[4]; float[4]; float[4]) outputs=5 opset=9", "training")]
    public void Run_OnAFormThatIsGone_NamesNodeAndRemedy(string text, string feature)
    {
        var error = Assert.Throws<UnsupportedOpException>(() => OpsetUpgrade.Run(new OpCase(text).Build()));

        Assert.Contains(feature, error.Message, StringComparison.Ordinal);
        Assert.Contains("BatchNormalization", error.Message, StringComparison.Ordinal);
        Assert.Contains("newer opset", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_OnAnOpsetBeyondReach_NamesIt()
    {
        var error = Assert.Throws<UnsupportedOpException>(static () => OpsetUpgrade.Run(new Model(6)));

        Assert.Contains("opset 6", error.Message, StringComparison.Ordinal);
    }
}
