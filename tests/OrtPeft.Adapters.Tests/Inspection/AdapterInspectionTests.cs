using OrtPeft.Adapters.Inspection;

namespace OrtPeft.Adapters.Tests.Inspection;

public sealed class AdapterInspectionTests
{
    [Fact]
    public void Norm_OfLora_IsThatOfTheChange()
    {
        var adapter = StoredCopy.Original();

        var module = AdapterInspection.Of(adapter).Modules[0];

        Assert.True(module is { Module: "transformer.h.0.attn.c_attn", IsDelta: true, Rank: 4, Scale: 2 });
        Assert.Equal(Norm(Delta(adapter, "transformer.h.0.attn.c_attn", 2)), module.Norm!.Value, 1e-5);
    }

    [Fact]
    public void Norm_OfRslora_HasTheScaleByTheRootOfTheRank()
    {
        var adapter = StoredCopy.Original("g2l_rslora_cattn");

        var module = AdapterInspection.Of(adapter).Modules[0];

        Assert.Equal(4, module.Scale);
        Assert.Equal(Norm(Delta(adapter, module.Module, 4)), module.Norm!.Value, 1e-5);
    }

    [Theory]
    [InlineData("g2l_dora_all")]
    [InlineData("g2l_ia3")]
    [InlineData("g2l_lntuning")]
    [InlineData("g2l_prefix")]
    public void Norm_OfWhatIsNoSum_IsThatOfTheTensors(string name)
    {
        var inspection = AdapterInspection.Of(StoredCopy.Original(name));

        Assert.All(inspection.Modules, static m => Assert.False(m.IsDelta));
        Assert.All(inspection.Modules, static m => Assert.True(m.Norm > 0));
        Assert.Equal(
            Math.Sqrt(inspection.Tensors.Sum(static t => t.Norm!.Value * t.Norm.Value)),
            Math.Sqrt(inspection.Modules.Sum(static m => m.Norm!.Value * m.Norm.Value)), 1e-9);
    }

    /// <summary>The scale would be of another rank than the factors, and the norm wrong.</summary>
    [Fact]
    public void Norm_WhereTheConfigurationHasAnotherRank_IsThatOfTheTensors()
    {
        using var copy = new StoredCopy().WithSetting("\"r\": 4", "\"r\": 8");

        Assert.All(AdapterInspection.Of(copy.Adapter).Modules, static m => Assert.False(m.IsDelta));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Fault_OfOneBadNumber_NamesTheTensor(float bad)
    {
        using var copy = new StoredCopy().WithNumbers(StoredCopy.Attention, v => [bad, .. v[1..]]);

        var inspection = AdapterInspection.Of(copy.Adapter);

        Assert.Contains("holds 1 NaN or infinite of", Assert.Single(inspection.Faults), StringComparison.Ordinal);
        Assert.Contains(StoredCopy.Attention, inspection.Faults[0], StringComparison.Ordinal);
        Assert.Null(inspection.Modules[0].Norm);
        Assert.All(inspection.Modules.Skip(1), static m => Assert.NotNull(m.Norm));
    }

    [Fact]
    public void Zero_OfAZeroedTensor_IsItsName()
    {
        using var copy = new StoredCopy().WithNumbers(StoredCopy.Attention, static v => new float[v.Length]);

        var inspection = AdapterInspection.Of(copy.Adapter);

        Assert.Equal([StoredCopy.Attention], inspection.Zero);
        Assert.Equal(0, inspection.Modules[0].Norm);
        Assert.Empty(inspection.Faults);
    }

    /// <summary>More elements than are read at once, and not a whole number of pieces.</summary>
    [Fact]
    public void Statistics_OfAManyPieceTensor_AreOfAllOfIt()
    {
        var values = new float[200_001];
        (values[^1], values[100_000]) = (3, -4);

        var statistics = TensorStatistics.Of("t", OrtPeft.Tensors.Tensor.Vector<float>(values));

        Assert.Equal(5, statistics.Norm);
        Assert.Equal(4, statistics.Largest);
    }

    internal static double[] Delta(StoredAdapter adapter, string module, double scale)
    {
        var a = adapter.Tensors[$"base_model.model.{module}.lora_A.weight"];
        var b = adapter.Tensors[$"base_model.model.{module}.lora_B.weight"];
        var (r, inputs, outputs) = ((int)a.Dims[0], (int)a.Dims[1], (int)b.Dims[0]);
        var (fromA, fromB) = (a.ToFloat32(), b.ToFloat32());
        return [.. from o in Enumerable.Range(0, outputs)
                   from i in Enumerable.Range(0, inputs)
                   select scale * Enumerable.Range(0, r).Sum(k => (double)fromB[(o * r) + k] * fromA[(k * inputs) + i])];
    }

    internal static double Norm(IEnumerable<double> values) => Math.Sqrt(values.Sum(static v => v * v));
}
