using OrtPeft.Kernels;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Runtime.Tests.Sessions;

public sealed class FasterProductsTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AreOwn_WhereItIsSaid_IsThat(bool isOwn) =>
        Assert.Equal(isOwn, FasterProducts.AreOwn(new RuntimeOptions { OwnProducts = isOwn }));

    [Fact]
    public void AreOwn_WhereNoKernelRuns_IsFalse() =>
        Assert.False(FasterProducts.AreOwn(new RuntimeOptions { Provider = "cuda", OwnProducts = true }));

    [Fact]
    public void Product_OfEitherKernel_IsTheSame()
    {
        var x = new Dictionary<string, Tensor> { ["x"] = Tensor.Of<float>(ProductTrial.Noise(256 * 768), [256, 768]) };

        var own = OnnxRun.Of(ProductTrial.Product(isOwn: true), x)["y"];
        var other = OnnxRun.Of(ProductTrial.Product(isOwn: false), x)["y"];

        Near.Relative(other, own, 1e-5, "X·W·Wᵀ");
        Assert.Contains(FusedOp.Domain, ProductTrial.Product(isOwn: true).Opsets.Keys);
    }

    [Fact]
    public void Measure_OnAnyMachine_GivesARatio() =>
        Assert.InRange(ProductTrial.Measure(threads: 1), 1e-3, 1e3);
}
