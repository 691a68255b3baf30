using OrtPeft.Cli.Reporting;
using OrtPeft.Cli.Tests.Running;
using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Cli.Tests.Commands;

/// <summary>A result that is not a number ends with exit code 1; a base that is computed otherwise than in ONNX Runtime is
/// named.</summary>
public sealed class NotANumberTests(Workplace place) : IClassFixture<Workplace>
{
    [Theory]
    [InlineData("--json")]
    [InlineData("--verbose")]
    public void Eval_OfALossThatIsNoNumber_Fails(string option)
    {
        var model = Broken();

        var run = CliRun.Of("eval", model, "--data", place.Rows, option);

        Assert.Equal(1, run.ExitCode);
        Assert.StartsWith("ortpeft: The loss over", run.Error, StringComparison.Ordinal);
        if (option == "--json")
            Assert.Null(run.Json["loss"]);
    }

    [Fact]
    public void Generate_FromLogitsThatAreNoNumbers_Fails() =>
        CliRun.Of("generate", Broken(), "--prompt", "the cat", "--json").Refused(1, "NaN");

    [Fact]
    public void Merge_OfAnAdapterThatIsNoNumber_FailsAndWritesNothing()
    {
        var (adapter, merged) = (place.Fresh(), place.Fresh());
        CliRun.Of("train", place.Model, "--data", place.Rows, "--steps", "1", "--out", adapter).Succeeded();
        Damage.FillWithNaN(Path.Combine(adapter, "adapter_model.safetensors"));

        CliRun.Of("merge", place.Model, "--adapter", adapter, "--out", merged).Refused(1, "NaN");

        Assert.False(Directory.Exists(merged));
    }

    [Fact]
    public void AccuracyNote_CountsNodesThatRoundActivations()
    {
        var model = new Model(21);
        var x = model.Graph.AddInput("x", ElementType.Float, [1, 32]);
        foreach (var (level, name) in ((long, string)[])[(4, "a"), (0, "b"), (1, "c"), (4, "d")])
            model.Graph.AddNode(
                "MatMulNBits", [x], [name], [NodeAttribute.Of("accuracy_level", level)], "com.microsoft", name);

        Assert.Equal(2, AccuracyNote.CountIn(model.Graph));
    }

    private string Broken()
    {
        var model = place.CopyOf(place.Hf, $"nan-{Path.GetRandomFileName()}");
        Damage.FillWithNaN(Path.Combine(model, "model.safetensors"));
        return model;
    }
}
