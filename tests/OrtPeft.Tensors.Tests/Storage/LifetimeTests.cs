using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using OrtPeft.Tensors.Safetensors;
using OrtPeft.Tensors.Storage;
using OrtPeft.Testing;

namespace OrtPeft.Tensors.Tests.Storage;

/// <summary>What safe code gets of a tensor can be read after nobody holds the tensor and collections have run.</summary>
public sealed class LifetimeTests
{
    private static readonly float[] Numbers = [.. Enumerable.Range(0, 1 << 20)];

    [Fact]
    public void Span_OfAMappedTensor_OutlivesTheFile()
    {
        using var folder = new TemporaryFolder();
        SafetensorsFile.Save(folder["x"], [("x", Tensor.Vector<float>(Numbers))]);

        var span = SafetensorsFile.Open(folder["x"])["x"].Span<float>();
        CollectAll();

        Assert.True(span.SequenceEqual(Numbers));
    }

    [Fact]
    public void Slice_OfAMappedFile_OutlivesTheFile()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder["x"], MemoryMarshal.AsBytes<float>(Numbers));

        var slice = MappedFile.Open(folder["x"]).Slice(0, Numbers.Length * sizeof(float)).Slice(0, 4096);
        CollectAll();

        Assert.True(slice.SequenceEqual(MemoryMarshal.AsBytes<float>(Numbers)[..4096]));
    }

    [Fact]
    public void Slice_OfAlignedMemory_OutlivesIt()
    {
        var slice = Aligned().Slice(0, Numbers.Length * sizeof(float));
        CollectAll();

        Assert.True(MemoryMarshal.Cast<byte, float>(slice).SequenceEqual(Numbers));
    }

    /// <summary>Bytes that are shown where they lie stay there until the callback returns.</summary>
    [Fact]
    public void View_WhileCollectionsRun_KeepsTheOwner()
    {
        using var folder = new TemporaryFolder();
        SafetensorsFile.Save(folder["x"], [("x", Tensor.Vector<float>(Numbers))]);

        var areEqual = SafetensorsFile.Open(folder["x"])["x"].View<float, bool>(static numbers =>
        {
            CollectAll();
            return numbers.SequenceEqual(Numbers);
        });

        Assert.True(areEqual);
    }

    [Fact]
    public void View_OfAlignedMemory_IsWhereItsPinIs()
    {
        var data = Aligned();
        using var pin = data.Pin();

        var offset = data.View(64, 4, bytes => Address(bytes) - pin.Address);

        Assert.Equal(64, offset);

        static unsafe nint Address(ReadOnlySpan<byte> bytes) =>
            (nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(bytes));
    }

    private static AlignedTensorData Aligned()
    {
        var data = new AlignedTensorData(Numbers.Length * sizeof(float));
        data.Write(0, MemoryMarshal.AsBytes<float>(Numbers));
        return data;
    }

    private static void CollectAll()
    {
        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }
}
