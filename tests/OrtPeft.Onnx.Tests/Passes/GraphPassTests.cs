using OrtPeft.Onnx.Passes;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Tests.Passes;

public sealed class GraphPassTests
{
    private readonly Model _model = new(CanonicalForm.Opset);
    private readonly Node _first;
    private readonly Node _second;

    public GraphPassTests()
    {
        var x = _model.Graph.AddInput("x", ElementType.Float, [2]);
        _first = _model.Graph.AddNode("Neg", [x], ["a"]);
        _second = _model.Graph.AddNode("Neg", [_first.Output], ["b"]);
        _model.Graph.AddOutput(_second.Output);
    }

    public static TheoryData<Exception> Refusals =>
    [
        new GraphException("A node contradicts its operator."), new UnsupportedOpException("An operator is unknown."),
        new OnnxFormatException("A file is damaged."), new SettingException("A setting is wrong."),
        new IOException("A disk is gone."), new OperationCanceledException(),
    ];

    [Fact]
    public void Run_OfAPassWithAMistake_NamesThePass()
    {
        var pass = new GraphPass("take-second", static m => m.Graph.Initializers[1].Initializer!.ToFloat32());

        var error = Assert.Throws<PassException>(() => pass.Run(_model));

        Assert.StartsWith("pass 'take-second': IndexOutOfRangeException: ", error.Message, StringComparison.Ordinal);
        Assert.IsType<IndexOutOfRangeException>(error.InnerException);
    }

    [Theory]
    [MemberData(nameof(Refusals), DisableDiscoveryEnumeration = true)]
    public void Run_OfAPassThatRefuses_ThrowsWhatThePassThrew(Exception refusal)
    {
        var pass = new GraphPass("refuse", _ => throw refusal);

        var error = Assert.ThrowsAny<Exception>(() => pass.Run(_model));

        Assert.Same(refusal, error);
    }

    [Fact]
    public void Run_OfAPassThatLeavesABrokenGraph_NamesThePass()
    {
        var pass = new GraphPass("turn-round", _ => _first.SetInput(0, _second.Output));

        var error = Assert.Throws<PassException>(() => pass.Run(_model));

        Assert.StartsWith("pass 'turn-round': Graph 'main' is broken: Neg ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_OnABrokenGraph_SaysThatItWasSoBefore()
    {
        _first.SetInput(0, _second.Output);

        var error = Assert.Throws<PassException>(() => CanonicalForm.Passes[0].Run(_model));

        Assert.StartsWith("before pass 'input-defaults': Graph", error.Message, StringComparison.Ordinal);
    }
}
