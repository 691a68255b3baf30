using OrtPeft.Kernels.Layouts;
using OrtPeft.Tensors;

namespace OrtPeft.Kernels.Tests.Layouts;

public sealed class PackedMatrixTests
{
    private const int Width = PackedMatrix.Width;

    [Theory]
    [InlineData(1, 1)]
    [InlineData(48, 96)]
    [InlineData(47, 49)]
    [InlineData(100, 50)]
    public void Pack_OfEitherLayout_PutsEachNumberIntoItsPanel(int rows, int columns)
    {
        var numbers = Enumerable.Range(1, rows * columns).Select(static i => (float)i).ToArray();
        var turned = Enumerable.Range(0, rows * columns)
            .Select(i => numbers[(i % rows * columns) + (i / rows)]).ToArray();

        var packed = PackedMatrix.Pack(Tensor.Of<float>(numbers, [rows, columns]));
        var ofTurned = PackedMatrix.Pack(Tensor.Of<float>(turned, [columns, rows]), isTransposed: true);

        var (panels, height) = ((columns + Width - 1) / Width, (rows + Width - 1) / Width * Width);
        Assert.Equal<long>([panels, height, Width], [.. packed.Dims]);
        Assert.Equal(
            Enumerable.Range(0, panels * height * Width).Select(i =>
            {
                var (panel, row, column) = (i / (height * Width), i / Width % height, i % Width);
                var inMatrix = (panel * Width) + column;
                return row < rows && inMatrix < columns ? numbers[(row * columns) + inMatrix] : 0;
            }),
            packed.ToFloat32());
        Assert.Equal<long>([.. packed.Dims], [.. ofTurned.Dims]);
        Assert.Equal(packed.ToFloat32(), ofTurned.ToFloat32());
    }

    [Fact]
    public void Pack_StartsOnACacheLine()
    {
        using var pin = PackedMatrix.Pack(Tensor.Of<float>(new float[6], [2, 3])).Data.Pin();

        Assert.Equal(0, pin.Address % 64);
    }
}
