using OrtPeft.Tensors.Storage;

namespace OrtPeft.Tensors.Tests;

/// <summary>Numbers of every floating-point type as float32.</summary>
public sealed class WideningTests
{
    public static TheoryData<Tensor> OtherTypes =>
    [
        Tensor.Of<Half>([(Half)1.5f, (Half)(-0.1f), Half.Epsilon, Half.PositiveInfinity], [2, 2]),
        Tensor.Of<double>([1.5, -0.1, double.Epsilon, double.PositiveInfinity], [4]),
        new(ElementType.BFloat16, [3], new MemoryTensorData(new byte[] { 0xC0, 0x3F, 0xCD, 0xBD, 0x80, 0x7F })),
    ];

    [Theory]
    [MemberData(nameof(OtherTypes))]
    public void Widened_OfAnotherType_HasItsNumbersWhereverReadingBegins(Tensor tensor)
    {
        var numbers = tensor.ToFloat32();

        var widened = tensor.Widened();

        Assert.Equal((ElementType.Float, numbers.Length), (widened.Type, (int)widened.Count));
        Assert.Equal(numbers, widened.ToFloat32());
        Assert.Equal(numbers[1..], MemoryOf(widened)[1..]);
        Assert.Equal(1.5f, numbers[0]);
        Assert.Equal(float.PositiveInfinity, numbers[^1]);
    }

    [Fact]
    public void Widened_OfFloat32_IsTheTensorItself()
    {
        var tensor = Tensor.Vector<float>([1, 2]);

        Assert.Same(tensor, tensor.Widened());
    }

    [Fact]
    public void Widened_OfIntegers_Throws()
    {
        Assert.Throws<InvalidOperationException>(() => Tensor.Vector<long>([1]).Widened());
    }

    /// <summary>Reads past the first number, which is left 0.</summary>
    private static float[] MemoryOf(Tensor tensor)
    {
        var numbers = new float[tensor.Count];
        tensor.Data.Read(sizeof(float), System.Runtime.InteropServices.MemoryMarshal.AsBytes(numbers.AsSpan(1)));
        return numbers;
    }
}
