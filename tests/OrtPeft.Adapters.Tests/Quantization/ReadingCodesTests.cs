using OrtPeft.Kernels;
using OrtPeft.Kernels.Products;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Quantization;

/// <summary>Quantised models whose products read codes, against ONNX Runtime's own dequantisation.</summary>
public sealed class ReadingCodesTests
{
    /// <summary>float32 sums in another order, of a logit's size or of 1.</summary>
    private const double Tolerance = 1e-5;

    public static TheoryData<string, string, int> Cases => QuantizedBase.Cases;

    /// <summary>Whole rows, and one token, which meets codes without a dequantised block.</summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void ReadingCodes_OfAQuantisedModel_GivesItsLogits(string name, string form, int size)
    {
        var model = QuantizedBase.Quantized(name, form, size);
        var nodes = model.Graph.Nodes.Count;

        var reading = PackedProducts.ReadingCodes(model);

        Assert.Contains(reading.Graph.Nodes, static n => PackedMatMul.Forward.Is(n) || PackedMatMul.Transposed.Is(n));
        Assert.DoesNotContain(reading.Graph.Nodes, static n => QuantizedWeight.Find(n.Output) is not null);
        Assert.Equal(nodes, model.Graph.Nodes.Count);
        var rows = DecoderLogits.WithPositions(QuantizedBase.Batch(name));
        var token = rows.ToDictionary(static f => f.Key, static f => First(f.Value));
        foreach (var batch in new[] { rows, token })
        {
            var expected = DecoderLogits.Of(model, batch);
            var scale = expected.ToFloat32().Max(Math.Abs);
            Near.Absolute(expected, DecoderLogits.Of(reading, batch), Tolerance * Math.Max(1, scale), $"{name}, {form}");
        }
    }

    [Fact]
    public void ReadingCodes_OfAFloatModel_IsTheModel()
    {
        var model = QuantizedBase.Float(Gpt2.Imported);

        Assert.Same(model, PackedProducts.ReadingCodes(model));
    }

    [Fact]
    public void For_WhereNoKernelRuns_IsTheModel()
    {
        var model = QuantizedBase.Quantized(Gpt2.Imported);

        Assert.Same(model, QuantizedModel.For(model, new RuntimeOptions { Provider = "cuda" }));
        Assert.Equal(KernelDomain.IsAvailable, model != QuantizedModel.For(model, new RuntimeOptions()));
    }

    /// <summary>The first token of the first row.</summary>
    private static Tensor First(Tensor rows) => Tensor.Of<long>([rows.ToInt64()[0]], [1, 1]);
}
