using System.Buffers.Binary;
using System.Text;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Models.Tests.Safetensors;

public sealed class SafetensorsFileTests
{
    private const string Four = "\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\"";
    private const string Valid = """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""";

    [Fact]
    public void Save_WhenOpenedAgain_GivesTheSameTensors()
    {
        using var folder = new TemporaryFolder();
        var matrix = Tensor.Of<float>([1, 2, 3, 4, 5, 6], [2, 3]);

        SafetensorsFile.Save(
            folder["x.safetensors"],
            [
                ("b", matrix),
                ("ü", Tensor.Vector<byte>(7)),
                ("a", Tensor.Scalar(1.5)),
                ("none", Tensor.Of<long>([], [0, 4])),
            ],
            new Dictionary<string, string> { ["format"] = "pt" });

        var file = SafetensorsFile.Open(folder["x.safetensors"]);
        Assert.Equal(["none", "a", "b", "ü"], file.Tensors.Keys);
        Assert.Equal([1f, 2, 3, 4, 5, 6], file["b"].ToFloat32());
        Assert.Equal([2L, 3L], file["b"].Dims.AsEnumerable());
        Assert.Empty(file["a"].Dims);
        Assert.Equal([0L, 4L], file["none"].Dims.AsEnumerable());
        Assert.Equal(7, file["ü"].Span<byte>()[0]);
        Assert.Equal("pt", file.Metadata["format"]);
        Assert.IsType<MappedTensorData>(file["b"].Data);
    }

    [Fact]
    public void Save_WritesTheReferenceImplementationsBytes()
    {
        using var folder = new TemporaryFolder();
        var tensor = Tensor.Of<float>([0, 1, 2, 3, 4, 5], [1, 1, 2, 3]);

        SafetensorsFile.Save(folder["x"], [("attn0", tensor)]);

        var bytes = File.ReadAllBytes(folder["x"]);
        const string Header = """{"attn0":{"dtype":"F32","shape":[1,1,2,3],"data_offsets":[0,24]}}       """;
        Assert.Equal(72, bytes[0]);
        Assert.Equal(Header, Encoding.UTF8.GetString(bytes, 8, 72));
        Assert.Equal(104, bytes.Length);
    }

    [Fact]
    public void Save_WithoutTensors_WritesTheReferenceImplementationsEmptyFile()
    {
        using var folder = new TemporaryFolder();

        SafetensorsFile.Save(folder["x"], []);

        Assert.Equal([8, 0, 0, 0, 0, 0, 0, 0, .. "{}      "u8], File.ReadAllBytes(folder["x"]));
        Assert.Empty(SafetensorsFile.Open(folder["x"]).Tensors);
    }

    [Theory]
    [InlineData("base/g2l/model.safetensors")]
    [InlineData("golden/hf442_g2l_past_op14/data.safetensors")]
    public void Save_OfAFileFromTheReferenceImplementation_RepeatsItsData(string name)
    {
        using var folder = new TemporaryFolder();
        var original = SafetensorsFile.Open(Fixture.Path(name));

        SafetensorsFile.Save(folder["x"], original.Tensors.Select(static t => (t.Key, t.Value)), original.Metadata);

        var copy = SafetensorsFile.Open(folder["x"]);
        Assert.Equal(original.Tensors.Count, copy.Tensors.Count);
        foreach (var (key, tensor) in original.Tensors)
            Assert.Equal(Bytes(tensor), Bytes(copy[key]));
    }

    [Fact]
    public void Save_OverTheFileItReadsFrom_Works()
    {
        using var folder = new TemporaryFolder();
        SafetensorsFile.Save(folder["x"], [("a", Tensor.Vector<float>(1, 2))]);
        var first = SafetensorsFile.Open(folder["x"]);

        SafetensorsFile.Save(folder["x"], [("a", Tensor.Vector<float>(3, 4)), ("b", first["a"])]);
        SafetensorsFile.Save(folder["x"], [("c", first["a"])]);

        Assert.Equal([1f, 2], SafetensorsFile.Open(folder["x"])["c"].ToFloat32());
    }

    [Fact]
    public void Save_WhenANameIsUsedTwice_ThrowsAndLeavesNothing()
    {
        using var folder = new TemporaryFolder();
        var tensor = Tensor.Scalar(1f);

        Assert.ThrowsAny<ArgumentException>(() => SafetensorsFile.Save(folder["x"], [("a", tensor), ("a", tensor)]));

        Assert.Empty(Directory.EnumerateFiles(folder.Path));
    }

    [Fact]
    public void Item_WhenTheTensorIsMissing_NamesFileAndTensor()
    {
        using var folder = new TemporaryFolder();
        var file = SafetensorsFile.Open(Write(folder, Valid, 8));

        var error = Assert.Throws<OnnxFormatException>(() => file["lm_head.weight"]);

        Assert.Contains("lm_head.weight", error.Message, StringComparison.Ordinal);
        Assert.Contains(folder["x.safetensors"], error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Valid, 7, "ends at 8 of 7")]
    [InlineData(Valid, 9, "cover 8 of 9")]
    [InlineData("", 0, "does not begin")]
    [InlineData("[]", 0, "does not begin")]
    [InlineData(" {}", 0, "does not begin")]
    [InlineData("{", 0, "not valid JSON")]
    [InlineData("{} x", 0, "not valid JSON")]
    [InlineData("{}{}", 0, "not valid JSON")]
    [InlineData("""{"a":1}""", 0, "must be an object")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2]}}""", 8, "lacks data_offsets")]
    [InlineData("""{"a":{"dtype":"F32","data_offsets":[0,8]}}""", 8, "lacks shape")]
    [InlineData("""{"a":{"shape":[2],"data_offsets":[0,8]}}""", 8, "lacks dtype")]
    [InlineData("""{"a":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}}""", 8, "dtype 'F33'")]
    [InlineData("""{"a":{"dtype":7,"shape":[2],"data_offsets":[0,8]}}""", 8, "must be a string")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}""", 8, "entry -8")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", 8, "begin ≤ end")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,9]}}""", 8, "[0, 8, 9]")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8.5]}}""", 8, "entry 8.5")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,1e30]}}""", 8, "entry 1e30")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", 8, "entry -2")]
    [InlineData("""{"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}}""", 8, "must be a list")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8, "takes 12")]
    [InlineData("""{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,8]}}""", 8, "takes 4")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}""", 8, "impossible")]
    [InlineData("""{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 8, "dtype twice")]
    [InlineData("""{"__metadata__":{"a":1}}""", 0, "__metadata__.a")]
    [InlineData("""{"__metadata__":{"a":"1","a":"2"}}""", 0, "'a' twice")]
    [InlineData("{" + Four + ":[0,4]}," + Four + ":[4,8]}}", 8, "'a' twice")]
    [InlineData("{" + Four + ":[0,4]},\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[2,6]}}", 6, "overlaps")]
    [InlineData("{" + Four + ":[0,4]},\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[6,10]}}", 10, "hole")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}""", 8, "hole")]
    public void Open_WhenTheHeaderBreaksARule_SaysWhich(string header, int dataBytes, string expected)
    {
        using var folder = new TemporaryFolder();
        var path = Write(folder, header, dataBytes);

        var error = Assert.Throws<OnnxFormatException>(() => SafetensorsFile.Open(path));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.StartsWith(path, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Theory]
    [InlineData("{\"__metadata__\":null}")]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"note\":{\"x\":[1,[2]]},\"shape\":[0],\"data_offsets\":[0,0]}}   ")]
    public void Open_AcceptsWhatTheReferenceImplementationAccepts(string header)
    {
        using var folder = new TemporaryFolder();

        SafetensorsFile.Open(Write(folder, header, 0));
    }

    [Fact]
    public void Open_WhenTheHeaderIsDeep_Throws()
    {
        using var folder = new TemporaryFolder();
        var header = $"{{\"a\":{{\"x\":{new string('[', 100_000)}{new string(']', 100_000)}}}}}";

        Assert.Throws<OnnxFormatException>(() => SafetensorsFile.Open(Write(folder, header, 0)));
    }

    [Theory]
    [InlineData(100_000_001, "over the limit")]
    [InlineData(ulong.MaxValue, "over the limit")]
    [InlineData(1_000, "in all")]
    public void Open_WhenTheHeaderLengthIsImpossible_Throws(ulong length, string expected)
    {
        using var folder = new TemporaryFolder();
        var path = Write(folder, Valid, 8, length);

        var error = Assert.Throws<OnnxFormatException>(() => SafetensorsFile.Open(path));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_WhenTheFileIsTruncatedAnywhere_Throws()
    {
        using var folder = new TemporaryFolder();
        var whole = File.ReadAllBytes(Write(folder, Valid, 8));

        for (var length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(folder["cut"], whole[..length]);
            Assert.Throws<OnnxFormatException>(() => SafetensorsFile.Open(folder["cut"]));
        }
    }

    [Fact]
    public void Open_WhenBytesAreMutated_OpensOrThrowsTheFormatException()
    {
        using var folder = new TemporaryFolder();
        SafetensorsFile.Save(
            folder["x"],
            [("a", Tensor.Of<float>([1, 2, 3, 4], [2, 2])), ("b", Tensor.Vector<byte>(1, 2, 3))],
            new Dictionary<string, string> { ["format"] = "pt" });
        var whole = File.ReadAllBytes(folder["x"]);
        var random = new Random(1);

        for (var round = 0; round < 2_000; round++)
        {
            var bytes = whole.ToArray();
            for (var i = random.Next(1, 4); i > 0; i--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            File.WriteAllBytes(folder["mutated"], bytes);
            OpenAndTouch(folder["mutated"]);
        }
    }

    private static void OpenAndTouch(string path)
    {
        try
        {
            foreach (var tensor in SafetensorsFile.Open(path).Tensors.Values)
                _ = Bytes(tensor);
        }
        catch (OnnxFormatException e)
        {
            Assert.DoesNotContain('\n', e.Message);
        }
    }

    private static byte[] Bytes(Tensor tensor) => tensor.Data.Slice(0, (int)tensor.Data.Length).ToArray();

    private static string Write(TemporaryFolder folder, string header, int dataBytes, ulong? length = null)
    {
        var json = Encoding.UTF8.GetBytes(header);
        var bytes = new byte[8 + json.Length + dataBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, length ?? (ulong)json.Length);
        json.CopyTo(bytes, 8);
        File.WriteAllBytes(folder["x.safetensors"], bytes);
        return folder["x.safetensors"];
    }
}
