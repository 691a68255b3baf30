using OrtPeft.Adapters.Inspection;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Tests.Inspection;

public sealed class AdapterComparisonTests
{
    private const string Module = "transformer.h.0.attn.c_attn";

    [Fact]
    public void Comparison_OfACopy_IsEqual()
    {
        using var copy = new StoredCopy();

        var comparison = AdapterComparison.Of(StoredCopy.Original(), copy.Adapter);

        Assert.True(comparison.IsEqual);
        Assert.Equal(1, comparison.Deltas!.Cosine!.Value, 1e-12);
        Assert.All(comparison.Deltas.Modules, static m => Assert.Equal(0, m.Relative));
    }

    [Fact]
    public void Deltas_OfTwoAdapters_AreThoseOfTheWholeMatrices()
    {
        var (first, second) = (StoredCopy.Original(), StoredCopy.Original("g2l_lora_all"));

        var comparison = AdapterComparison.Of(first, second);

        var (x, y) = (Dense(first), Dense(second));
        var module = comparison.Deltas!.Modules.Single(static m => m.Module == Module);
        var difference = AdapterInspectionTests.Norm(x.Zip(y, static (a, b) => a - b));
        Assert.Equal(difference / Math.Max(module.FirstNorm, module.SecondNorm), module.Relative!.Value, 1e-6);
        var inner = x.Zip(y, static (a, b) => a * b).Sum();
        Assert.Equal(inner / (module.FirstNorm * module.SecondNorm), module.Cosine!.Value, 1e-6);
    }

    /// <summary>Norms and an inner product would lose a difference this small.</summary>
    [Fact]
    public void Relative_OfNearlyTheSame_IsSmallAndNotZero()
    {
        using var copy = new StoredCopy().WithNumbers(StoredCopy.Attention, static v => [MathF.BitIncrement(v[0]), .. v[1..]]);

        var module = AdapterComparison.Of(StoredCopy.Original(), copy.Adapter).Deltas!.Modules[0];

        Assert.InRange(module.Relative!.Value, 1e-12, 1e-7);
    }

    /// <summary>Twice the scale and half of B are the same change by other tensors and settings.</summary>
    [Fact]
    public void Deltas_OfTheSameChangeByOtherSettings_AreEqual()
    {
        using var copy = new StoredCopy("g2l_lora_cattn_randB").WithSetting("\"lora_alpha\": 8", "\"lora_alpha\": 16");
        foreach (var layer in new[] { 0, 1 })
            copy.WithNumbers($"base_model.model.transformer.h.{layer}.attn.c_attn.lora_B.weight", static v => v.Select(static e => e / 2));

        var comparison = AdapterComparison.Of(StoredCopy.Original("g2l_lora_cattn_randB"), copy.Adapter);

        Assert.False(comparison.IsEqual);
        Assert.Equal(new SettingDifference("lora_alpha", "8", "16"), Assert.Single(comparison.Settings));
        Assert.All(comparison.Deltas!.Modules, static m => Assert.Equal(0, m.Relative!.Value, 1e-12));
        Assert.Equal(1, comparison.Deltas.Cosine!.Value, 1e-12);
    }

    [Fact]
    public void Deltas_WhereOneHasMoreModules_CountTheOthersAsZero()
    {
        var comparison = AdapterComparison.Of(StoredCopy.Original(), StoredCopy.Original("g2l_lora_cattn_randB"));

        Assert.Equal(12, comparison.OnlyInFirst.Count);
        Assert.Empty(comparison.OnlyInSecond);
        Assert.Contains(comparison.Deltas!.Modules, static m => m is { SecondNorm: 0, Relative: 1, Cosine: null });
        var module = comparison.Deltas.Modules.Single(static m => m.Module == Module);
        Assert.True(Math.Abs(comparison.Deltas.Cosine!.Value) < Math.Abs(module.Cosine!.Value));
    }

    [Fact]
    public void Settings_OfListsInAnotherOrder_AreTheSame()
    {
        using var copy = new StoredCopy().WithSetting(
            "    \"c_proj\",\n    \"c_fc\"\n", "    \"c_fc\",\n    \"c_proj\"\n");

        Assert.Empty(AdapterComparison.Of(StoredCopy.Original(), copy.Adapter).Settings);
    }

    [Fact]
    public void Tensors_OfAnotherShape_AreNotCompared()
    {
        using var copy = new StoredCopy().With(StoredCopy.Attention, static t => Tensor.Of<float>(new float[8], [2, 4]));

        var comparison = AdapterComparison.Of(StoredCopy.Original(), copy.Adapter);

        var tensor = comparison.Tensors.Single(static t => t.Name == StoredCopy.Attention);
        Assert.True(tensor is { IsComparable: false, Largest: null, Relative: null, Differing: > 0 });
        Assert.False(comparison.IsEqual);
        Assert.Contains("other widths", comparison.WhyNoDeltas!, StringComparison.Ordinal);
    }

    /// <summary>A comparison with NaN is false either way, so that it could pass for none.</summary>
    [Fact]
    public void Tensors_WithNaN_DifferByNoNumber()
    {
        using var copy = new StoredCopy().WithNumbers(StoredCopy.Attention, static v => [float.NaN, .. v[1..]]);

        var comparison = AdapterComparison.Of(StoredCopy.Original(), copy.Adapter);

        var tensor = comparison.Tensors.Single(static t => t.Name == StoredCopy.Attention);
        Assert.True(tensor is { Differing: 1, Largest: null, Relative: null });
        Assert.Null(comparison.Deltas!.Cosine);
        Assert.Null(comparison.Deltas.Modules[0].Relative);
    }

    [Theory]
    [InlineData("g2l_dora_all", "does not belong to a sum")]
    [InlineData("g2l_ia3", "does not belong to a sum")]
    public void Deltas_OfAnotherMethod_AreNone(string name, string why) => Assert.Contains(
        why, AdapterComparison.Of(StoredCopy.Original(), StoredCopy.Original(name)).WhyNoDeltas!, StringComparison.Ordinal);

    [Fact]
    public void Deltas_OfAnotherBase_AreNone()
    {
        using var copy = new StoredCopy().WithSetting("base/g2l", "org/other");

        var comparison = AdapterComparison.Of(StoredCopy.Original(), copy.Adapter);

        Assert.Contains("two bases, g2l and other", comparison.WhyNoDeltas!, StringComparison.Ordinal);
    }

    private static double[] Dense(StoredAdapter adapter) => AdapterInspectionTests.Delta(adapter, Module, 2);
}
