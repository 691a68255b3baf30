using OrtPeft.Models.Checkpoints;
using OrtPeft.Models.Initialization;
using OrtPeft.Models.Llama;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;

namespace OrtPeft.Models.Tests.Llama;

public sealed class LlamaCheckpointTests
{
    private static LlamaConfig Config => SmallLlama.Configs["grouped"];

    private static LlamaConfig Tied => SmallLlama.Configs["qwen2"];

    /// <summary>Two shards, bfloat16, and the frequencies that old versions saved.</summary>
    [Fact]
    public void Import_OfBFloat16Shards_EqualsTheModelOfTheRoundedWeights()
    {
        using var folder = new TemporaryFolder();
        var rounded = SmallLlama.Weights(Config).ToDictionary(static w => w.Key, static w => Rounded(w.Value));
        var saved = rounded.Select(static w => (w.Key, Narrow(w.Value)))
            .Append(("model.layers.0.self_attn.rotary_emb.inv_freq", Tensor.Vector<float>(1, 2, 3, 4))).ToArray();
        File.WriteAllText(folder["config.json"], Config.ToJson());
        SafetensorsFile.Save(folder["a.safetensors"], saved[..5]);
        SafetensorsFile.Save(folder["b.safetensors"], saved[5..]);
        var map = saved.Select(static (t, i) => $"\"{t.Item1}\":\"{(i < 5 ? 'a' : 'b')}.safetensors\"");
        File.WriteAllText(folder["model.safetensors.index.json"], $"{{\"weight_map\":{{{string.Join(',', map)}}}}}");

        using var imported = new OnnxSession(HfCheckpoint.Import(folder.Path, folder["out"], Assert.Fail));
        using var expected = new OnnxSession(Config.ToArchitecture().Build(rounded));

        var feeds = SmallLlama.Feeds(Config, "left-padded", ..);
        Assert.Equal(Logits(expected, feeds), Logits(imported, feeds));
    }

    /// <summary>A bare <c>LlamaModel</c> has no prefix; a tied head may be repeated in the file.</summary>
    [Fact]
    public void Open_OfABareTiedModel_FindsEveryWeight()
    {
        using var folder = new TemporaryFolder();
        var weights = SmallLlama.Weights(Tied);
        var bare = weights.Select(static w => (w.Key["model.".Length..], w.Value))
            .Append(("lm_head.weight", weights["model.embed_tokens.weight"]));
        File.WriteAllText(folder["config.json"], Tied.ToJson());
        SafetensorsFile.Save(folder["model.safetensors"], bare);

        var checkpoint = HfCheckpoint.Open(folder.Path, Assert.Fail);

        Assert.Equal(weights.Keys, checkpoint.Weights.Keys);
        Assert.Equal("qwen2", checkpoint.Config.ModelType);
    }

    [Fact]
    public void Open_WhenTheHeadIsMissing_NamesFileAndWeight()
    {
        using var folder = new TemporaryFolder();
        Save(folder, weights => weights.Remove("lm_head.weight"));

        var error = Assert.Throws<OnnxFormatException>(() => HfCheckpoint.Open(folder.Path));

        Assert.StartsWith(folder["model.safetensors"], error.Message, StringComparison.Ordinal);
        Assert.Contains("'lm_head.weight' [50, 32]", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_WhenAKeyWeightIsOfAnotherNumberOfHeads_NamesBothShapes()
    {
        using var folder = new TemporaryFolder();
        const string Name = "model.layers.1.self_attn.k_proj.weight";
        Save(folder, static weights => weights[Name] = Tensor.Of<float>(new float[32 * 32], [32, 32]));

        var error = Assert.Throws<OnnxFormatException>(() => HfCheckpoint.Open(folder.Path));

        Assert.Contains($"'{Name}' is [32, 32], but config.json makes it [16, 32]", error.Message,
            StringComparison.Ordinal);
    }

    /// <summary>HF's rule: linear and embedding weights normal, norms one, biases zero.</summary>
    [Fact]
    public void CreateWeights_AreInitialisedAsInHf()
    {
        var config = SmallLlama.Configs["all biases"] with { InitializerRange = 0.05f };

        var weights = ModelInitializer.CreateWeights(config, 3);

        foreach (var (name, tensor) in weights)
        {
            var values = tensor.ToFloat32();
            if (name.EndsWith(".bias", StringComparison.Ordinal))
                Assert.All(values, static v => Assert.Equal(0, v));
            else if (name.Contains("norm", StringComparison.Ordinal))
                Assert.All(values, static v => Assert.Equal(1, v));
            else
                // At least 512 numbers: the deviation's own error is 1/√1024, three percent.
                Assert.InRange(Math.Sqrt(values.Average(static v => v * v)), 0.05 * 0.85, 0.05 * 1.15);
        }
    }

    private static void Save(TemporaryFolder folder, Action<Dictionary<string, Tensor>> change)
    {
        var weights = SmallLlama.Weights(Config);
        change(weights);
        File.WriteAllText(folder["config.json"], Config.ToJson());
        SafetensorsFile.Save(folder["model.safetensors"], weights.Select(static w => (w.Key, w.Value)));
    }

    private static float[] Logits(OnnxSession session, IReadOnlyDictionary<string, Tensor> feeds) =>
        session.Run(feeds, "logits")["logits"].ToFloat32();

    private static ushort Upper(float value) => (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16);

    private static Tensor Rounded(Tensor tensor) => Tensor.Of<float>(
        [.. tensor.ToFloat32().Select(static v => BitConverter.UInt32BitsToSingle((uint)Upper(v) << 16))],
        [.. tensor.Dims]);

    private static Tensor Narrow(Tensor tensor)
    {
        var halves = Tensor.Of<ushort>([.. tensor.ToFloat32().Select(Upper)], [.. tensor.Dims]);
        return new Tensor(ElementType.BFloat16, tensor.Dims, halves.Data);
    }
}
