using OrtPeft.Onnx.Serialization;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Onnx.Tests.Serialization;

public sealed class ExternalDataTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("ortpeft").FullName;
    private readonly string _folder;

    public ExternalDataTests()
    {
        _folder = Directory.CreateDirectory(Path.Combine(_root, "model")).FullName;
        byte[] counting = [.. Enumerable.Range(0, 64).Select(static i => (byte)i)];
        File.WriteAllBytes(Path.Combine(_folder, "weights.bin"), counting);
        File.WriteAllBytes(Path.Combine(_root, "secret.bin"), new byte[64]);
        Directory.CreateDirectory(Path.Combine(_root, "elsewhere"));
        File.WriteAllBytes(Path.Combine(_root, "elsewhere", "secret.bin"), new byte[64]);
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [InlineData("../secret.bin", "outside")]
    [InlineData("sub/../../secret.bin", "outside")]
    [InlineData("/etc/passwd", "outside")]
    [InlineData("", "outside")]
    [InlineData(".", "outside")]
    [InlineData("missing.bin", "does not exist")]
    [InlineData("weights.bin/deeper", "does not exist")]
    [InlineData("weights\0.bin", "zero byte")]
    public void Load_FromALocationThatMayNotBe_Throws(string location, string message)
    {
        var error = Assert.Throws<OnnxFormatException>(() => Load(("location", location)));

        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Contains("'w'", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("offset", "-4")]
    [InlineData("offset", "1e3")]
    [InlineData("offset", "61")]
    [InlineData("offset", "9223372036854775807")]
    [InlineData("offset", "99999999999999999999999999")]
    [InlineData("length", "8")]
    [InlineData("length", "-4")]
    [InlineData("length", "")]
    public void Load_FromARangeThatMayNotBe_Throws(string key, string value) =>
        Assert.Throws<OnnxFormatException>(() => Load(("location", "weights.bin"), (key, value)));

    [Fact]
    public void Load_WithoutALocation_Throws() => Assert.Throws<OnnxFormatException>(() => Load(("offset", "0")));

    [Fact]
    public void Load_ThroughALinkThatLeavesTheFolder_Throws()
    {
        File.CreateSymbolicLink(Path.Combine(_folder, "link.bin"), Path.Combine(_root, "secret.bin"));

        var error = Assert.Throws<OnnxFormatException>(() => Load(("location", "link.bin")));

        Assert.Contains("leaves the model's folder", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_ThroughALinkedFolderThatLeaves_Throws()
    {
        Directory.CreateSymbolicLink(Path.Combine(_folder, "sub"), Path.Combine(_root, "elsewhere"));

        var error = Assert.Throws<OnnxFormatException>(() => Load(("location", "sub/secret.bin")));

        Assert.Contains("leaves the model's folder", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_ThroughALinkInACircle_Throws()
    {
        File.CreateSymbolicLink(Path.Combine(_folder, "a.bin"), Path.Combine(_folder, "b.bin"));
        File.CreateSymbolicLink(Path.Combine(_folder, "b.bin"), Path.Combine(_folder, "a.bin"));

        Assert.Throws<OnnxFormatException>(() => Load(("location", "a.bin")));
    }

    [Fact]
    public void Load_ThroughALinkInsideTheFolder_ReadsIt()
    {
        File.CreateSymbolicLink(Path.Combine(_folder, "link.bin"), "weights.bin");

        var tensor = Load(("location", "link.bin"), ("offset", "4"));

        Assert.Equal([4, 5, 6, 7], tensor.Data.Slice(0, 4).ToArray());
    }

    /// <summary>The Hugging Face Hub's cache: every file of a snapshot is a link into one folder of contents.</summary>
    [Fact]
    public void Load_OfAModelInTheHubsCache_ReadsIt()
    {
        var blobs = Directory.CreateDirectory(Path.Combine(_root, "blobs")).FullName;
        var snapshot = Directory.CreateDirectory(Path.Combine(_root, "snapshots", "abc", "onnx")).FullName;
        var tensor = Wire.External("a", 1, ("location", "model.onnx_data"), ("offset", "4"));
        File.WriteAllBytes(Path.Combine(blobs, "1f"), Wire.Model(tensor));
        File.Copy(Path.Combine(_folder, "weights.bin"), Path.Combine(blobs, "2e"));
        File.CreateSymbolicLink(Path.Combine(snapshot, "model.onnx"), "../../../blobs/1f");
        File.CreateSymbolicLink(Path.Combine(snapshot, "model.onnx_data"), "../../../blobs/2e");
        var linked = Directory.CreateSymbolicLink(Path.Combine(_root, "mine"), Path.Combine("snapshots", "abc")).FullName;

        var model = OnnxFile.Load(Path.Combine(linked, "onnx", "model.onnx"));

        Assert.Equal([4, 5, 6, 7], model.Graph.Initializers[0].Initializer!.Data.Slice(0, 4).ToArray());
    }

    [Fact]
    public void Load_OfAModelWhoseFolderIsALink_ReadsIt()
    {
        var link = Path.Combine(_root, "linked");
        Directory.CreateSymbolicLink(link, _folder);

        var tensor = LoadIn(link, 1, ("location", "weights.bin"));

        Assert.Equal([0, 1, 2, 3], tensor.Data.Slice(0, 4).ToArray());
    }

    [Fact]
    public void Load_OfTensorsThatOverlap_ReadsBoth()
    {
        var path = Path.Combine(_folder, "model.onnx");
        var one = Wire.External("a", 2, ("location", "weights.bin"), ("offset", "0"));
        var other = Wire.External("b", 2, ("location", "weights.bin"), ("offset", "4"));
        File.WriteAllBytes(path, Wire.Model(one, other));

        var constants = OnnxFile.Load(path).Graph.Initializers;

        Assert.Equal(
            constants[0].Initializer!.Data.Slice(4, 4).ToArray(), constants[1].Initializer!.Data.Slice(0, 4).ToArray());
    }

    [Fact]
    public void Load_OfATensorBeyond2GiB_ReadsOnlyItsBytes()
    {
        const long Far = 5L << 29;
        WriteSparse(3L << 30, Far, [1, 2, 3, 4]);
        var before = GC.GetAllocatedBytesForCurrentThread();

        var tensor = Load(("location", "sparse.bin"), ("offset", $"{Far}"));

        Assert.Equal([1, 2, 3, 4], tensor.Data.Slice(0, 4).ToArray());
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void Load_OfATensorLargerThan2GiB_DescribesItWithoutReadingIt()
    {
        WriteSparse(3L << 30, (3L << 30) - 4, [1, 2, 3, 4]);

        var tensor = LoadIn(_folder, 3L << 28, ("location", "sparse.bin"));

        Assert.Equal(3L << 30, tensor.Data.Length);
        Assert.Equal(3L << 28, tensor.Count);
        Assert.Equal([1, 2, 3, 4], tensor.Data.Slice((3L << 30) - 4, 4).ToArray());
    }

    [Fact]
    public void Load_WithOneFileOfManyTensors_MapsItOnce()
    {
        var path = Path.Combine(_folder, "model.onnx");
        var tensors = Enumerable.Range(0, 3).Select(static i => Wire.External($"w{i}", 1, ("location", "weights.bin")));
        File.WriteAllBytes(path, Wire.Model(tensors));

        var files = OnnxFile.Load(path).Graph.Initializers
            .Select(static i => ((MappedTensorData)i.Initializer!.Data).File).Distinct();

        Assert.Single(files);
    }

    private void WriteSparse(long length, long offset, byte[] content)
    {
        using var file = File.Create(Path.Combine(_folder, "sparse.bin"));
        file.SetLength(length);
        file.Position = offset;
        file.Write(content);
    }

    private Tensor Load(params IEnumerable<(string Key, string Value)> entries) => LoadIn(_folder, 1, entries);

    private static Tensor LoadIn(string folder, long count, params IEnumerable<(string Key, string Value)> entries)
    {
        var path = Path.Combine(folder, "model.onnx");
        File.WriteAllBytes(path, Wire.Model(Wire.External("w", count, entries)));
        return OnnxFile.Load(path).Graph.Initializers[0].Initializer!;
    }
}
