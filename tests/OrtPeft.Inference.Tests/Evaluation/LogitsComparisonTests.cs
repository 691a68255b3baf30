using OrtPeft.Inference.Evaluation;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Inference.Tests.Evaluation;

public sealed class LogitsComparisonTests
{
    private static readonly IReadOnlyList<int[]> Sequences =
        LogitsComparison.RandomSequences(4, Fixture.Context, Fixture.Vocabulary, seed: 5);

    [Fact]
    public void Compare_WithTheSameModel_FindsNoDifference()
    {
        var model = Fixture.Load(Fixture.NoPast);

        var difference = LogitsComparison.Compare(model, model, Sequences, new() { Threads = 1 });

        Assert.Equal(0, difference.Largest);
    }

    [Theory]
    [InlineData(Fixture.Past)]
    [InlineData(Fixture.StackedPast)]
    public void Compare_WithAnotherExportOfTheWeights_FindsRoundingOnly(string other)
    {
        var difference = LogitsComparison.Compare(Fixture.Load(Fixture.NoPast), Fixture.Load(other), Sequences);

        Assert.InRange(difference.Largest, 0, 2e-5f);
    }

    [Fact]
    public void Compare_WithAChangedWeight_FindsWhereTheyDiffer()
    {
        var model = Fixture.Load(Fixture.NoPast);
        var changed = model.Clone();
        Add(changed, "transformer.h.1.mlp.c_proj.bias", 0.25f);

        var difference = LogitsComparison.Compare(model, changed, Sequences);

        Assert.InRange(difference.Largest, 1e-3f, 100);
        Assert.Equal(difference.Largest, Math.Abs(difference.First - difference.Second));
        Assert.InRange(difference.Position, 0, Sequences[difference.Sequence].Length - 1);
        Assert.InRange(difference.Token, 0, Fixture.Vocabulary - 1);
    }

    [Fact]
    public void Compare_WithNaNInOneModel_ReportsNaN()
    {
        var model = Fixture.Load(Fixture.NoPast);
        var broken = model.Clone();
        Add(broken, "transformer.h.1.mlp.c_proj.bias", float.NaN);

        var difference = LogitsComparison.Compare(model, broken, Sequences);

        Assert.True(float.IsNaN(difference.Largest));
    }

    [Theory]
    [InlineData("hf442_g2l_static3x11_op13", "fixed axes")]
    [InlineData("hf442_g2l_withloss_op14", "a loss of its own")]
    public void Compare_OnAGraphWithMoreThanLogitsNeed_FeedsIt(string graph, string why)
    {
        var model = OnnxFile.Load(Fixtures.Graph($"{graph}.onnx"));

        var found = LogitsComparison.Compare(model, model, [[5], [1, 2, 3]]);

        Assert.True(found.Largest == 0, why);
    }

    [Fact]
    public void Compare_WithoutSequences_Throws()
    {
        var model = Fixture.Load(Fixture.NoPast);

        Assert.ThrowsAny<ArgumentException>(() => LogitsComparison.Compare(model, model, []));
        Assert.ThrowsAny<ArgumentException>(() => LogitsComparison.Compare(model, model, [[]]));
    }

    [Fact]
    public void RandomSequences_RepeatBySeedWithinTheirBounds()
    {
        var again = LogitsComparison.RandomSequences(4, Fixture.Context, Fixture.Vocabulary, seed: 5);
        var other = LogitsComparison.RandomSequences(4, Fixture.Context, Fixture.Vocabulary, seed: 6);

        Assert.Equal(Sequences, again);
        Assert.NotEqual(Sequences, other);
        Assert.Equal(Fixture.Context, again[0].Length);
        Assert.All(again, static s => Assert.InRange(s.Length, 1, Fixture.Context));
        Assert.All(again.SelectMany(static s => s), static id => Assert.InRange(id, 0, Fixture.Vocabulary - 1));
    }

    /// <summary>Changes one element of a weight; the copy shares all others with the original.</summary>
    private static void Add(Model model, string name, float amount)
    {
        var weight = model.Graph.Find(name)!;
        var numbers = weight.Initializer!.ToFloat32();
        numbers[3] += amount;
        model.Graph.SetInitializer(weight, Tensor.Of<float>(numbers, [.. weight.Initializer.Dims]));
    }
}
