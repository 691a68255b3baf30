using OrtPeft.Models.Gpt2;
using OrtPeft.Models.Initialization;
using OrtPeft.Tensors.Safetensors;

namespace OrtPeft.Models.Tests.Initialization;

public sealed class ModelInitializerTests
{
    [Fact]
    public void Write_MakesAFolderThatOpens()
    {
        using var folder = new TemporaryFolder();

        ModelInitializer.Write(Gpt2Presets.Find("tiny"), 3, folder["new"]);

        var source = ModelSource.Open(folder["new"], Assert.Fail);
        var file = SafetensorsFile.Open(Path.Combine(folder["new"], "model.safetensors"));
        Assert.Equal(Gpt2Presets.Find("tiny"), source.Config);
        Assert.Equal("pt", file.Metadata["format"]);
        Assert.Equal(1_071_872, file.Tensors.Values.Sum(static t => t.Count));
        Assert.DoesNotContain("lm_head.weight", file.Tensors.Keys);
    }

    [Fact]
    public void Write_FollowsFromTheSeedAlone()
    {
        using var folder = new TemporaryFolder();
        foreach (var (name, seed) in new[] { ("a", 1UL), ("b", 1UL), ("c", 2UL) })
            ModelInitializer.Write(Gpt2Presets.Find("tiny"), seed, folder[name]);

        var files = "abc".Select(c => File.ReadAllBytes(Path.Combine(folder[$"{c}"], "model.safetensors"))).ToArray();

        Assert.Equal(files[0], files[1]);
        Assert.NotEqual(files[0], files[2]);
    }

    [Theory]
    [InlineData("transformer.wte.weight", 0.02)]
    [InlineData("transformer.wpe.weight", 0.02)]
    [InlineData("transformer.h.0.attn.c_attn.weight", 0.02)]
    [InlineData("transformer.h.1.attn.c_proj.weight", 0.01)]
    [InlineData("transformer.h.1.mlp.c_proj.weight", 0.01)]
    public void CreateWeights_IsNormallyDistributed(string name, double deviation)
    {
        var config = Gpt2Presets.Find("tiny") with { Layers = 2, EmbeddingSize = 256, VocabSize = 4096, Positions = 1024 };
        var values = ModelInitializer.CreateWeights(config, 5)[name].ToFloat32().Select(v => v / deviation).ToArray();

        var mean = values.Average();
        var error = 1 / Math.Sqrt(values.Length);
        double ShareOver(double bound) => values.Average(v => Math.Abs(v) > bound ? 1.0 : 0);
        Assert.InRange(mean, -4 * error, 4 * error);
        Assert.InRange(values.Average(static v => v * v), 1 - (6 * error), 1 + (6 * error));
        Assert.InRange(values.Average(static v => v * v * v * v), 3 - (40 * error), 3 + (40 * error));
        foreach (var (bound, share) in new[] { (0.6745, 0.5), (1.0, 0.31731), (2.0, 0.0455), (3.0, 0.0027) })
            Assert.InRange(ShareOver(bound), share - (3 * error), share + (3 * error));
        Assert.InRange(values.Zip(values.Skip(1), static (a, b) => a * b).Average(), -5 * error, 5 * error);
        Assert.InRange(values.Zip(values.Skip(8), static (a, b) => a * b).Average(), -5 * error, 5 * error);
        Assert.InRange(values.Zip(values.Skip(16), static (a, b) => a * b).Average(), -5 * error, 5 * error);
    }

    [Fact]
    public void CreateWeights_SetsBiasesAndNorms()
    {
        var weights = ModelInitializer.CreateWeights(Gpt2Presets.Find("tiny"), 5);

        Assert.All(weights["transformer.h.0.mlp.c_fc.bias"].ToFloat32(), static v => Assert.Equal(0, v));
        Assert.All(weights["transformer.h.0.ln_1.bias"].ToFloat32(), static v => Assert.Equal(0, v));
        Assert.All(weights["transformer.ln_f.weight"].ToFloat32(), static v => Assert.Equal(1, v));
    }

    [Fact]
    public void CreateWeights_IsTheSameHoweverItIsRead()
    {
        var data = ModelInitializer.CreateWeights(Gpt2Presets.Find("tiny"), 5)["transformer.wte.weight"].Data;
        var whole = data.Slice(0, (int)data.Length).ToArray();

        foreach (var (offset, count) in new[] { (0, 4), (4, 64), (60, 68), (128, 4000), (3, 9), (129_000, 2_072) })
            Assert.Equal(whole[offset..(offset + count)], data.Slice(offset, count).ToArray());
    }
}
