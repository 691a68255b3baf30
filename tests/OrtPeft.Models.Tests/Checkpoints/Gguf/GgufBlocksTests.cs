using OrtPeft.Models.Checkpoints.Gguf;

namespace OrtPeft.Models.Tests.Checkpoints.Gguf;

/// <summary>Blocks that llama.cpp quantised, and the float32 numbers that it made of them again.</summary>
public sealed class GgufBlocksTests
{
    private static readonly GgufFile File = GgufFile.Open(Fixture.Path("gguf/blocks.gguf"));

    public static TheoryData<string> Types =>
        [.. File.Tensors.Keys.Where(static n => !n.EndsWith(".f32", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Types))]
    public void ToTensor_GivesGgmlsNumbers(string type)
    {
        var (tensor, expected) = (File.Tensors[type], File.Tensors[$"{type}.f32"]);

        var numbers = tensor.ToTensor("").ToFloat32();

        Assert.Equal(type, tensor.Type.Name);
        Assert.Equal(expected.ToTensor("").ToFloat32(), numbers);
    }

    /// <summary>Pieces that begin and end within blocks.</summary>
    [Theory]
    [MemberData(nameof(Types))]
    public void Read_OfAnyPiece_GivesThatPiece(string type)
    {
        var data = File.Tensors[type].ToTensor("").Data;
        var whole = data.Slice(0, (int)data.Length).ToArray();

        foreach (var (offset, count) in (ReadOnlySpan<(int, int)>)[(4, 8), (124, 12), (127, 130), (1000, 1049)])
        {
            var piece = new byte[Math.Min(count, whole.Length - offset)];
            data.Read(offset, piece);
            Assert.Equal(whole[offset..(offset + piece.Length)], piece);
        }
    }

    /// <summary>A graph's integers times scales are the same numbers.</summary>
    [Theory]
    [InlineData("Q4_0", 4, 32)]
    [InlineData("Q5_0", 8, 32)]
    [InlineData("Q8_0", 8, 32)]
    [InlineData("Q6_K", 8, 16)]
    public void Of_IsExact(string type, int bits, int size)
    {
        var tensor = File.Tensors[type];
        var last = (int)tensor.Dims[0] - 1;

        var content = GgufIntegers.Of(tensor, rows: row => last - row)!;

        Assert.Equal((bits, size), (content.Bits, content.BlockSize));
        var expected = tensor.ToTensor("").ToFloat32().Chunk((int)tensor.Columns).Reverse().SelectMany(static row => row);
        Assert.Equal(expected.Select(static n => n + 0f), content.ToFloat32().ToFloat32().Select(static n => n + 0f));
    }

    [Theory]
    [InlineData("Q4_1")]
    [InlineData("Q5_1")]
    [InlineData("Q4_K")]
    [InlineData("Q5_K")]
    public void Of_OfBlocksWithOffsets_IsNone(string type) => Assert.Null(GgufIntegers.Of(File.Tensors[type], rows: null));
}
