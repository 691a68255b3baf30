using System.Runtime.InteropServices;
using OrtPeft.Models;
using OrtPeft.Models.Gpt2;
using OrtPeft.Models.Initialization;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;
using OrtPeft.Testing;

namespace OrtPeft.Runtime.Tests.Sessions;

public sealed class ModelSessionTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [InlineData(null)]
    public void Open_WithAndWithoutPackedWeights_GivesTheSameResults(bool? prepacking)
    {
        using var folder = new TemporaryFolder();
        var model = Create(folder.Path, layers: 1, width: 128);

        float[] Logits(bool? packs)
        {
            using var session = ModelSession.Open(model, new RuntimeOptions { Threads = 1, Prepacking = packs });
            var ids = new Dictionary<string, Tensor> { ["input_ids"] = Tensor.Of<long>([1, 2, 3, 4], [1, 4]) };
            return OnnxRun.Of(session, Feeds.Of(model.Graph, ids))["logits"].ToFloat32();
        }

        // Sums in another order.
        Near.Within(Logits(false), Logits(prepacking), 1e-6, "logits");
    }

    /// <summary>Computed weights are handed over where they are, though the file that they pretend to be in has fewer
    /// bytes.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Open_OfWeightsInAlignedMemory_ReadsThem(bool besideAMappedOne)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder["weights"], MemoryMarshal.AsBytes<float>([1, 2, 3, 4]));
        var data = new AlignedTensorData(64 * sizeof(float));
        float[] numbers = [.. Enumerable.Range(0, 64)];
        data.Write(0, MemoryMarshal.AsBytes<float>(numbers));
        var model = new Model(opset: 21);
        var g = new GraphBuilder(model.Graph, new ShapeInference(model.Opset));
        var x = model.Graph.AddInput("x", ElementType.Float, [16, 4]);
        var sum = g.Add(x, g.Constant(new Tensor(ElementType.Float, [16, 4], data)));
        if (besideAMappedOne)
        {
            var mapped = MappedFile.Open(folder["weights"]).Slice(0, 16);
            sum = g.Add(sum, g.Constant(new Tensor(ElementType.Float, [4], mapped)));
        }

        model.Graph.Rename(sum, "y");
        model.Graph.AddOutput(sum);
        using var session = ModelSession.Open(model, new RuntimeOptions { Threads = 1 });
        var feeds = new Dictionary<string, Tensor> { ["x"] = Tensor.Of<float>(new float[64], [16, 4]) };
        var y = OnnxRun.Of(session, feeds)["y"].ToFloat32();

        Assert.Equal(Enumerable.Range(0, 64).Select(i => i + (besideAMappedOne ? (i % 4) + 1f : 0)), y);
    }

    /// <summary>The Hugging Face Hub's cache: files of a snapshot are links into one folder of contents, and ONNX Runtime
    /// refuses external data whose links leave the folder that it is told.</summary>
    [Theory]
    [InlineData("snapshots/abc")]
    [InlineData("mine")]
    public void Open_OfAModelInTheHubsCache_ReadsItsWeights(string given)
    {
        using var folder = new TemporaryFolder();
        _ = Create(folder["plain"], layers: 1, width: 8);
        Directory.CreateDirectory(folder["blobs"]);
        Directory.CreateDirectory(folder["snapshots/abc"]);
        foreach (var name in (string[])["config.json", "model.safetensors"])
        {
            File.Copy(Path.Combine(folder["plain"], name), Path.Combine(folder["blobs"], $"hash-of-{name}"));
            File.CreateSymbolicLink(Path.Combine(folder["snapshots/abc"], name), $"../../blobs/hash-of-{name}");
        }

        Directory.CreateSymbolicLink(folder["mine"], Path.Combine("snapshots", "abc"));

        float[] Logits(string name)
        {
            var model = ModelSource.Open(folder[name]).Model;
            using var session = ModelSession.Open(model, new RuntimeOptions { Threads = 1, Prepacking = false });
            var ids = new Dictionary<string, Tensor> { ["input_ids"] = Tensor.Of<long>([1, 2, 3, 4], [1, 4]) };
            return OnnxRun.Of(session, Feeds.Of(model.Graph, ids))["logits"].ToFloat32();
        }

        Assert.Equal(Logits("plain"), Logits(given));
    }

    [Fact]
    public void Fit_CountsOneCopyForEachProductWithAConstantMatrix()
    {
        using var folder = new TemporaryFolder();
        var model = Create(folder.Path, layers: 2, width: 8);

        // Attention's [8, 24] and [8, 8], the MLP's [8, 32] and [32, 8], and the tied head's [50, 8].
        Assert.Equal(4 * (2 * (8 * 24 + 8 * 8 + 2 * 8 * 32) + 50 * 8), PackedMatrices.Bytes(model));
        Assert.True(PackedMatrices.Fit(model));
        Assert.True(PackedMatrices.FitInPlace(model));
        Assert.False(PackedMatrices.Fit(long.MaxValue));
    }

    [Fact]
    public void ReleasePages_OfAMappedFile_LeavesItsBytes()
    {
        using var folder = new TemporaryFolder();
        var bytes = new byte[100_000];
        new Random(1).NextBytes(bytes);
        File.WriteAllBytes(folder["file"], bytes);
        var file = MappedFile.Open(folder["file"]);
        using var pin = file.Slice(0, bytes.Length).Pin();

        file.ReleasePages();

        Assert.Equal(bytes, Copied(pin));
        GC.KeepAlive(file);
    }

    [Fact]
    public void ReleasePages_OfAnEmptyFile_DoesNothing()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder["file"], []);

        MappedFile.Open(folder["file"]).ReleasePages();

        Assert.Empty(File.ReadAllBytes(folder["file"]));
    }

    private static Model Create(string folder, int layers, int width)
    {
        var config = new Gpt2Config { VocabSize = 50, Layers = layers, EmbeddingSize = width, Heads = 2 };
        ModelInitializer.Write(config, seed: 1, folder);
        return ModelSource.Open(folder).Model;
    }

    private static byte[] Copied(PinnedBytes pin)
    {
        var copy = new byte[pin.Length];
        Marshal.Copy(pin.Address, copy, 0, copy.Length);
        return copy;
    }
}
