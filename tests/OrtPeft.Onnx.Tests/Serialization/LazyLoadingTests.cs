using OrtPeft.Onnx.Serialization;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Onnx.Tests.Serialization;

public sealed class LazyLoadingTests : IDisposable
{
    private const int Elements = 16 << 20;
    private readonly string _folder = Directory.CreateTempSubdirectory("ortpeft").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Load_OfEmbeddedWeights_DoesNotReadThem()
    {
        var path = SaveModel();
        var before = GC.GetAllocatedBytesForCurrentThread();

        var model = OnnxFile.Load(path);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8 << 20);
        Assert.Equal(7f, model.Graph.Initializers[0].Initializer!.Span<float>()[Elements - 1]);
    }

    [Fact]
    public void Save_OverTheFileThatIsMapped_KeepsTheWeights()
    {
        var path = SaveModel();
        var model = OnnxFile.Load(path);

        OnnxFile.Save(model, path, new OnnxSaveOptions { ExternalData = true });

        Assert.Equal(7f, model.Graph.Initializers[0].Initializer!.Span<float>()[Elements - 1]);
        Assert.Equal(7f, OnnxFile.Load(path).Graph.Initializers[0].Initializer!.Span<float>()[Elements - 1]);
    }

    [Fact]
    public void Save_ThatFails_LeavesTheOldFile()
    {
        var path = Path.Combine(_folder, "model.onnx");
        File.WriteAllText(path, "old");
        var model = new Model(17);
        model.Graph.AddInitializer("w", new Tensor(ElementType.Float, [1], new Unreadable()));

        Assert.Throws<IOException>(() => OnnxFile.Save(model, path, new OnnxSaveOptions { ExternalData = false }));

        Assert.Equal("old", File.ReadAllText(path));
        Assert.Single(Directory.EnumerateFiles(_folder));
    }

    private string SaveModel()
    {
        var weights = new float[Elements];
        weights[^1] = 7;
        var model = new Model(17);
        model.Graph.AddInitializer("w", Tensor.Of<float>(weights, [Elements]));
        var path = Path.Combine(_folder, "model.onnx");
        OnnxFile.Save(model, path, new OnnxSaveOptions { ExternalData = false });
        return path;
    }

    private sealed class Unreadable : TensorData
    {
        public override long Length => 4;

        public override ReadOnlySpan<byte> Slice(long offset, int count) => throw new IOException("the disk is gone");

        public override PinnedBytes Pin() => throw new IOException("the disk is gone");
    }
}
