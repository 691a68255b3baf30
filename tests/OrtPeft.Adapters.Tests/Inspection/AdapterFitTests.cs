using OrtPeft.Adapters.Inspection;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Inspection;

public sealed class AdapterFitTests
{
    private const string Graph = "hf442_g2l_nopast_op13.onnx";

    private static Model Base => OnnxFile.Load(Fixtures.Graph(Graph));

    public static TheoryData<string> Adapters =>
        [.. Directory.EnumerateDirectories(Path.Combine(Fixtures.Folder, "peft_ckpt")).Select(static f => Path.GetFileName(f)!)];

    [Theory]
    [MemberData(nameof(Adapters))]
    public void Faults_OnTheAdaptersOwnBase_AreNone(string name) =>
        Assert.Empty(AdapterFit.Of(StoredCopy.Original(name), Base).Faults);

    [Fact]
    public void Faults_OfSeveralTensors_AreOneEach()
    {
        using var copy = new StoredCopy()
            .With(StoredCopy.Attention, static _ => null)
            .With(Of("mlp.c_fc.lora_A"), static t => Tensor.Of<float>(new float[5 * t.Dims[1]], [5, t.Dims[1]]))
            .WithNumbers(Of("mlp.c_proj.lora_A"), static v => [float.NaN, .. v[1..]]);

        var faults = AdapterFit.Of(copy.Adapter, Base).Faults;

        Assert.Equal(3, faults.Count);
        Assert.Contains(faults, static f => f.Contains($"'{StoredCopy.Attention}'", StringComparison.Ordinal)
            && f.Contains("is missing", StringComparison.Ordinal));
        Assert.Contains(faults, static f => f.Contains("its rank is 5", StringComparison.Ordinal));
        Assert.Contains(faults, static f => f.Contains("holds 1 NaN", StringComparison.Ordinal));
    }

    /// <summary>All modules that the configuration names are there, so that only the spare tensor tells.</summary>
    [Fact]
    public void Faults_OfATensorThatNothingUses_NameIt()
    {
        using var copy = new StoredCopy("g2l_lora_all_randB").WithSetting("    \"c_fc\"\n", "    \"attn.c_attn\"\n");

        var faults = AdapterFit.Of(copy.Adapter, Base).Faults;

        Assert.Equal(4, faults.Count); // A and B of two layers
        Assert.All(faults, static f => Assert.Contains("c_fc", f, StringComparison.Ordinal));
    }

    [Fact]
    public void Faults_OnABaseWithFewerLayers_NameTheTensorsOfTheOthers()
    {
        var faults = AdapterFit.Of(
            StoredCopy.Original(), OnnxFile.Load(Fixtures.Graph("t113_hf_l1_op16_nofold_static.onnx"))).Faults;

        Assert.True(faults.Count(static f => f.Contains("h.1.", StringComparison.Ordinal)) >= 8, string.Join('\n', faults));
    }

    [Fact]
    public void Faults_OfIntegers_NameTheType()
    {
        using var copy = new StoredCopy().With(
            StoredCopy.Attention, static t => Tensor.Of<int>(new int[t.Count], t.Dims.AsSpan()));

        var fault = Assert.Single(AdapterFit.Of(copy.Adapter, Base).Faults);

        Assert.Contains("is Int32", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void Unmatched_OfANameThatTheBaseLacks_IsNoFault()
    {
        using var copy = new StoredCopy().WithSetting("    \"c_fc\"\n", "    \"c_fc\", \"q_proj\"\n");

        var fit = AdapterFit.Of(copy.Adapter, Base);

        Assert.Empty(fit.Faults);
        Assert.Contains("q_proj", Assert.Single(fit.Unmatched), StringComparison.Ordinal);
    }

    private static string Of(string part) => $"base_model.model.transformer.h.0.{part}.weight";
}
