using System.Text;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Tensors.Tests.Storage;

public sealed class ContentHashTests
{
    /// <summary>Values of the reference implementation, seed 0.</summary>
    [Theory]
    [InlineData("", "ef46db3751d8e999")]
    [InlineData("a", "d24ec4f1a98c6e5b")]
    [InlineData("abc", "44bc2cf5ad770999")]
    [InlineData("Nobody inspects the spammish repetition", "fbcea83c8a378bf1")]
    public void Text_IsTheReferencesHash(string content, string expected)
    {
        var hash = new ContentHash();

        hash.Add(Encoding.UTF8.GetBytes(content).AsSpan());

        Assert.Equal(expected, hash.Text);
    }

    [Fact]
    public void Text_OfManyStripes_IsTheReferencesHash()
    {
        var hash = new ContentHash();

        hash.Add(Enumerable.Range(0, 1000).Select(static i => (byte)(i * 7)).ToArray().AsSpan());

        Assert.Equal("25275608a9cfc168", hash.Text);
    }

    /// <summary>Checkpoints keep it, so it must stay: XXH64 of <c>w 1 [3,4]</c>, a zero and the elements.</summary>
    [Fact]
    public void Add_OfATensor_GivesWhatCheckpointsHold()
    {
        var hash = new ContentHash();

        hash.Add("w", Tensor.Of<float>([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], [3, 4]));

        Assert.Equal("3f1a99b23f7d07a5", hash.Text);
    }

    [Fact]
    public void Add_InPieces_IsAddAtOnce()
    {
        var bytes = Enumerable.Range(0, 1000).Select(static i => (byte)(i * 7)).ToArray();
        var whole = new ContentHash();
        whole.Add(bytes.AsSpan());

        foreach (var piece in (int[])[1, 5, 31, 32, 33, 64, 999])
        {
            var pieces = new ContentHash();
            for (var at = 0; at < bytes.Length; at += piece)
                pieces.Add(bytes.AsSpan(at, Math.Min(piece, bytes.Length - at)));
            Assert.Equal(whole.Text, pieces.Text);
        }
    }
}
