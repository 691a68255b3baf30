using OrtPeft.Models.Checkpoints;
using OrtPeft.Models.Checkpoints.Gguf;
using OrtPeft.Tensors;

namespace OrtPeft.Models.Tests.Checkpoints.Gguf;

/// <summary>Files that are damaged, hostile, or of what is not read.</summary>
public sealed class GgufFileTests
{
    public static TheoryData<string, string> Bad => new()
    {
        { "magic", "does not begin with GGUF" },
        { "version", "is of version 1; versions 2 and 3 are read" },
        { "big-endian", "is big-endian" },
        { "type", "'t' is in ggml's type IQ4_NL, which is not read" },
        { "unknown type", "'t' is in ggml's type number 99" },
        { "axes", "has 5 axes for 't'" },
        { "negative axis", "has an axis of 't':" },
        { "overflow", "has the shape [4611686018427387904, 4611686018427387904]" },
        { "zero", "has the shape [0, 4]" },
        { "block", "has the shape [2, 33] for 't' in Q4_0, whose blocks are of 32" },
        { "short", "beyond its end" },
        { "twice", "has the tensor 't' twice" },
        { "key twice", "has the metadata key 'k' twice" },
        { "alignment", "has general.alignment 7" },
        { "alignment text", "has general.alignment x" },
        { "list", "elements in a list, more than the file has room for" },
        { "text", "bytes in a text, more than the file has room for" },
        { "nested", "has lists in lists in lists" },
        { "flag", "has a flag of 2" },
        { "value type", "has a value of type 13" },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public void Open_OfADamagedFile_SaysWhat(string what, string expected)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder["m.gguf"], Draft(what).ToBytes());

        var error = Assert.Throws<OnnxFormatException>(() => GgufFile.Open(folder["m.gguf"]));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("general.architecture", "falcon", "of GGUF files, llama, qwen2, qwen3, gemma, gemma2, gemma3, phi3, granite, olmo2, smollm3, qwen2moe, qwen3moe are read")]
    [InlineData("qwen2.expert_count", 8u, "qwen2.expert_count is 8; qwen2 has no experts")]
    [InlineData("qwen2.rope.dimension_count", 4u, "it must be a head's 8")]
    [InlineData("qwen2.rope.scaling.type", "cosine", "qwen2.rope.scaling.type is 'cosine'")]
    [InlineData("qwen2.block_count", "two", "qwen2.block_count is two; it must be a whole number from 1")]
    [InlineData("tokenizer.ggml.eos_token_id", 1_000_000u, "has tokenizer.ggml.eos_token_id 1000000, of 256 tokens")]
    public void Open_OfAModelThatIsNotRead_SaysWhat(string key, object value, string expected)
    {
        using var folder = new TemporaryFolder();
        var draft = GgufDraft.Of(Fixture.Path("families/qwen2"));
        draft.Metadata.RemoveAll(m => m.Key == key);
        draft.Metadata.Add((key, value is string ? 8u : 4u, value));
        File.WriteAllBytes(folder["m.gguf"], draft.ToBytes());

        var error = Assert.Throws<OnnxFormatException>(() => HfCheckpoint.Open(folder["m.gguf"]));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_WithATensorThatHasNoPlace_IsRefused()
    {
        using var folder = new TemporaryFolder();
        var draft = GgufDraft.Of(Fixture.Path("families/qwen2"));
        draft.Tensors.Add(("blk.0.attn_sinks.weight", [2], 0, new byte[8]));
        File.WriteAllBytes(folder["m.gguf"], draft.ToBytes());

        var error = Assert.Throws<OnnxFormatException>(() => HfCheckpoint.Open(folder["m.gguf"]));

        Assert.Contains("has the tensor 'blk.0.attn_sinks.weight', for which qwen2 models of HF have no place", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Whatever the bytes are, they are read or refused in words.</summary>
    [Fact]
    public void Open_OfAnyBytes_IsReadOrRefused()
    {
        using var folder = new TemporaryFolder();
        var whole = GgufDraft.Of(Fixture.Path("families/qwen2")).ToBytes();
        var random = new Random(1);
        for (var run = 0; run < 400; run++)
        {
            var bytes = whole[..(run % 4 == 0 ? random.Next(whole.Length) : whole.Length)];
            for (var change = 0; change < 1 + (run % 3) && bytes.Length > 0; change++)
                bytes[random.Next(Math.Min(bytes.Length, 9000))] = (byte)random.Next(256);
            File.WriteAllBytes(folder["m.gguf"], bytes);
            try
            {
                _ = HfCheckpoint.Open(folder["m.gguf"]);
            }
            catch (Exception e) when (e is OnnxFormatException or ModelConfigException)
            {
                Assert.NotEmpty(e.Message);
            }
        }
    }

    private static GgufDraft Draft(string what)
    {
        var draft = new GgufDraft();
        const long Huge = 1L << 62;
        switch (what)
        {
            case "magic":
                draft.Magic = 7;
                break;
            case "version":
                draft.Version = 1;
                break;
            case "big-endian":
                draft.Version = 3 << 24;
                break;
            case "type" or "unknown type":
                draft.Tensors.Add(("t", [32], what == "type" ? 20u : 99u, new byte[64]));
                break;
            case "axes":
                draft.Tensors.Add(("t", [1, 1, 1, 1, 1], 0, new byte[64]));
                break;
            case "negative axis":
                draft.Tensors.Add(("t", [-1], 0, new byte[64]));
                break;
            case "overflow":
                draft.Tensors.Add(("t", [Huge, Huge], 0, new byte[64]));
                break;
            case "zero":
                draft.Tensors.Add(("t", [0, 4], 0, new byte[64]));
                break;
            case "block":
                draft.Tensors.Add(("t", [2, 33], 2, new byte[64]));
                break;
            case "short":
                draft.Tensors.Add(("t", [1000], 0, new byte[64]));
                break;
            case "twice":
                draft.Tensors.Add(("t", [4], 0, new byte[16]));
                draft.Tensors.Add(("t", [4], 0, new byte[16]));
                break;
            case "key twice":
                draft.Add("k", 1u);
                draft.Add("k", 1u);
                break;
            case "alignment":
                draft.Add("general.alignment", 7u);
                break;
            case "alignment text":
                draft.Add("general.alignment", "x");
                break;
            case "list":
                draft.Metadata.Add(("k", 9, (byte[])[8, 0, 0, 0, .. BitConverter.GetBytes(Huge)]));
                break;
            case "text":
                draft.Metadata.Add(("k", 8, BitConverter.GetBytes(Huge)));
                break;
            case "nested":
                byte[] one = [9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
                draft.Metadata.Add(("k", 9, (byte[])[.. one, .. one, .. one, .. one, .. one]));
                break;
            case "flag":
                draft.Metadata.Add(("k", 7, (byte[])[2]));
                break;
            default:
                draft.Metadata.Add(("k", 13, (byte[])[0, 0, 0, 0, 0, 0, 0, 0]));
                break;
        }

        return draft;
    }
}
