using OrtPeft.Onnx.Quantization;
using OrtPeft.Tensors;

namespace OrtPeft.Models.Tests.Checkpoints;

public sealed class PackedCheckpointTests
{
    private const string Module = "model.layers.0.mlp.down_proj";

    private static readonly float[] Fp4 =
        [0, 0.0052083333f, 0.6666667f, 1, 0.33333334f, 0.5f, 0.16666667f, 0.25f,
            -0f, -0.0052083333f, -0.6666667f, -1, -0.33333334f, -0.5f, -0.16666667f, -0.25f];

    public static TheoryData<string, bool> Forms => new()
    {
        { "gptq", true },
        { "gptq_v2", true },
        { "gptq 8 bits", true },
        { "gptq 2 bits", true },
        { "gptq 3 bits", true },
        { "gptq in another order", false },
        { "awq", true },
        { "int8", true },
        { "nf4", true },
        { "nf4 nested", true },
        { "fp4", false },
    };

    [Theory]
    [MemberData(nameof(Forms))]
    public void Open_GivesTheNumbersThatThePackersMean(string form, bool isKeptInFewBits)
    {
        using var packed = Pack(form);

        var checkpoint = packed.Open();
        var model = checkpoint.ToModel();

        Assert.All(packed.Numbers, pair => Near(pair.Value, checkpoint.Weights[pair.Key].ToFloat32(), 1e-6f));
        Assert.Equal(isKeptInFewBits, model.Graph.Nodes.Any(static n => n.Is("DequantizeLinear")));
        Assert.All(packed.Numbers.Keys, name =>
            Assert.Equal(isKeptInFewBits, model.Graph.Find(name)!.Initializer is null));
        using var session = new OnnxSession(model);
        using var expected = new OnnxSession(packed.Float());
        Near(Logits(expected), Logits(session), 0.02f);
    }

    public static TheoryData<string, string, string, Tensor?> Damages => new()
    {
        { "gptq", "qzeros", "lacks the tensor", null },
        { "gptq", "qweight", "is [1, 1], but must be [8, 32]", Tensor.Of<int>([1], [1, 1]) },
        { "gptq", "scales", "not floating-point numbers", Tensor.Of<int>(new int[128], [4, 32]) },
        { "gptq", "g_idx", "has 4, of 4 groups", Tensor.Of<int>([.. Enumerable.Repeat(4, 64)], [64]) },
        { "gptq", "qzeros", "a zero point of 16, which 4 bits cannot hold", Tensor.Of<int>([.. Enumerable.Repeat(-1, 16)], [4, 4]) },
        { "awq", "qzeros", "lacks the tensor", null },
        { "awq", "qweight", "is UInt8, not Int32", Tensor.Of<byte>(new byte[256], [64, 4]) },
        { "int8", "SCB", "is [1], but must be [32]", Tensor.Of<float>([1], [1]) },
        { "int8", "weight_format", "is not that of rows", Tensor.Of<byte>([1], []) },
        { "nf4", "weight.quant_map", "lacks the tensor", null },
        { "nf4", "weight.quant_state.bitsandbytes__nf4", "lacks the tensor", null },
        { "nf4", "weight.quant_state.bitsandbytes__nf4", "is not valid JSON", Tensor.Of<byte>([1], [1]) },
        { "nf4", "weight.quant_state.bitsandbytes__nf4", "does not hold a JSON object", Tensor.Of<byte>([(byte)'1'], [1]) },
        { "nf4", "weight.quant_state.bitsandbytes__nf4", "blocks of 0", Tensor.Of<byte>("{}"u8, [2]) },
        { "nf4 nested", "weight.nested_quant_map", "lacks the tensor", null },
    };

    [Theory]
    [MemberData(nameof(Damages))]
    public void Open_OfADamagedFile_SaysWhatIsWrong(string form, string part, string expected, Tensor? instead)
    {
        using var packed = Pack(form);

        var error = Assert.Throws<OnnxFormatException>(() => packed.Open(tensors =>
        {
            if (instead is null)
                tensors.Remove($"{Module}.{part}");
            else
                tensors[$"{Module}.{part}"] = instead;
        }));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Contains(Module, error.Message, StringComparison.Ordinal);
    }

    /// <summary>Old folders have it in a file of its own, which HF does not read either.</summary>
    [Fact]
    public void Open_WithoutADescriptionOfTheBits_NamesIt()
    {
        using var packed = new PackedCheckpoint("null", static (c, m, o, i) => c.Gptq(m, o, i, bits: 4, offset: 1));

        var error = Assert.Throws<OnnxFormatException>(() => packed.Open());

        Assert.Contains("config.json has no quantization_config", error.Message, StringComparison.Ordinal);
    }

    private static PackedCheckpoint Pack(string form) => form switch
    {
        "gptq" => Gptq("", static (c, m, o, i) => c.Gptq(m, o, i, bits: 4, offset: 1)),
        "gptq_v2" => Gptq(",\"checkpoint_format\":\"gptq_v2\"", static (c, m, o, i) => c.Gptq(m, o, i, 4, 0)),
        "gptq 8 bits" => Gptq(",\"bits\":8", static (c, m, o, i) => c.Gptq(m, o, i, 8, 1)),
        "gptq 2 bits" => Gptq(",\"bits\":2", static (c, m, o, i) => c.Gptq(m, o, i, 2, 1)),
        "gptq 3 bits" => Gptq(",\"bits\":3", static (c, m, o, i) => c.Gptq3(m, o, i)),
        "gptq in another order" => Gptq("", static (c, m, o, i) => c.Gptq(m, o, i, 4, 1, [1, 0, 3])),
        "awq" => new("""{"quant_method":"awq","bits":4,"group_size":16,"version":"gemm"}""",
            static (c, m, o, i) => c.Awq(m, o, i)),
        "int8" => Bits(static (c, m, o, i) => c.Int8(m, o, i)),
        "nf4" => Bits(static (c, m, o, i) => c.Nf4(m, o, i, [.. CodeBook.NormalFloat4.Values], "nf4", isNested: false)),
        "nf4 nested" => Bits(static (c, m, o, i) => c.Nf4(m, o, i, [.. CodeBook.NormalFloat4.Values], "nf4", true)),
        "fp4" => Bits(static (c, m, o, i) => c.Nf4(m, o, i, Fp4, "fp4", true)),
        _ => throw new ArgumentException($"No form '{form}'."),
    };

    private static PackedCheckpoint Gptq(string more, Func<PackedCheckpoint, string, int, int, float[]?> pack) =>
        new($"{{\"quant_method\":\"gptq\",\"group_size\":16{more}}}", pack);

    private static PackedCheckpoint Bits(Func<PackedCheckpoint, string, int, int, float[]> pack) =>
        new("""{"quant_method":"bitsandbytes","load_in_4bit":true}""", pack);

    private static float[] Logits(OnnxSession session)
    {
        var feeds = new Dictionary<string, Tensor>
        {
            ["input_ids"] = Tensor.Of<long>([5, 17, 30, 42], [1, 4]),
            ["attention_mask"] = Tensor.Of<long>([1, 1, 1, 1], [1, 4]),
            ["position_ids"] = Tensor.Of<long>([0, 1, 2, 3], [1, 4]),
        };
        foreach (var name in session.Inputs)
            feeds.TryAdd(name, Tensor.Of<float>([], [1, 2, 0, 8]));
        return session.Run(feeds, "logits")["logits"].ToFloat32();
    }

    private static void Near(float[] expected, float[] actual, float tolerance)
    {
        var largest = expected.Max(float.Abs);
        Assert.Equal(expected.Length, actual.Length);
        Assert.InRange(expected.Zip(actual, static (e, a) => float.Abs(e - a)).Max(), 0, tolerance * largest);
    }
}
