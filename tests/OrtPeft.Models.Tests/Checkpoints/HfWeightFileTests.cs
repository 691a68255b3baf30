using OrtPeft.Models.Checkpoints;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;

namespace OrtPeft.Models.Tests.Checkpoints;

public sealed class HfWeightFileTests
{
    /// <summary>To the nearest, ties to even: 1 + 1/256 lies between 1 and 1 + 1/128.</summary>
    [Theory]
    [InlineData(ElementType.BFloat16, 1.00390625f, 1)]
    [InlineData(ElementType.BFloat16, 1.01171875f, 1.015625f)]
    [InlineData(ElementType.BFloat16, 1.0039064f, 1.0078125f)]
    [InlineData(ElementType.BFloat16, -1.00390625f, -1)]
    [InlineData(ElementType.BFloat16, float.NaN, float.NaN)]
    [InlineData(ElementType.BFloat16, float.NegativeInfinity, float.NegativeInfinity)]
    [InlineData(ElementType.Float16, 1.00048828125f, 1)]
    [InlineData(ElementType.Float16, 65504f, 65504f)]
    public void Save_RoundsToTheNearest(ElementType type, float value, float expected)
    {
        using var folder = new TemporaryFolder();

        var written = Save(folder, type, 0.5f, value, 0.25f);

        var tensor = SafetensorsFile.Open(folder["model.safetensors"]).Tensors["a"];
        Assert.Equal((type, type), (written, tensor.Type));
        Assert.Equal([0.5f, expected, 0.25f], tensor.ToFloat32());
    }

    [Theory]
    [InlineData(ElementType.Float16, 65520f)]
    [InlineData(ElementType.BFloat16, float.MaxValue)]
    public void Save_WhenANumberWouldBecomeInfinite_StaysFloat32(ElementType type, float value)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["config.json"], """{"dtype":"float16","tie_word_embeddings":true}""");

        var written = Save(folder, type, value);

        Assert.Equal(ElementType.Float, written);
        Assert.Equal([value], SafetensorsFile.Open(folder["model.safetensors"]).Tensors["a"].ToFloat32());
        var config = File.ReadAllText(folder["config.json"]);
        Assert.Contains("\"dtype\": \"float32\"", config, StringComparison.Ordinal);
        Assert.Contains("\"tie_word_embeddings\": false", config, StringComparison.Ordinal);
    }

    /// <summary>HF would look for layers in few bits where there are none any more.</summary>
    [Fact]
    public void Save_OfAModelThatWasInFewBits_SaysNothingOfThem()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(
            folder["config.json"], """{"model_type":"llama","quantization_config":{"quant_method":"gptq","bits":4}}""");

        _ = Save(folder, ElementType.Float16, 1);

        var config = File.ReadAllText(folder["config.json"]);
        Assert.DoesNotContain("quantization_config", config, StringComparison.Ordinal);
        Assert.Contains("llama", config, StringComparison.Ordinal);
    }

    private static ElementType Save(TemporaryFolder folder, ElementType type, params float[] values) =>
        HfWeightFile.Save(
            folder.Path,
            [("a", Tensor.Vector<float>(values))],
            new Dictionary<string, ElementType> { ["a"] = type },
            isTied: false);
}
