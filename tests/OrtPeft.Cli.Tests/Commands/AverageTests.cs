using OrtPeft.Cli.Tests.Running;

namespace OrtPeft.Cli.Tests.Commands;

/// <summary>Three devices train a base's adapter on rows of their own, and a server averages what they send.</summary>
public sealed class AverageTests(Workplace place) : IClassFixture<Workplace>
{
    [Fact]
    public void Average_OfThreeDevices_IsAnAdapterThatStandsBetweenThem()
    {
        string[] devices = [.. Enumerable.Range(1, 3).Select(Trained)];
        var (exact, small, tensors) = (place.Fresh(), place.Fresh(), place.Fresh());

        Assert.Contains("the mean of 3 adapters, rank 6", CliRun.Of(["average", .. devices, "--weights", "2,1,1", "--out", exact]).Succeeded().Output, StringComparison.Ordinal);
        Assert.Contains("rank 2", CliRun.Of(["average", .. devices, "--svd-rank", "2", "--out", small]).Succeeded().Output, StringComparison.Ordinal);
        Assert.Contains("rank 2", CliRun.Of(["average", .. devices, "--tensors", "--out", tensors]).Succeeded().Output, StringComparison.Ordinal);

        var losses = devices.Select(Loss).ToArray();
        Assert.All(new[] { exact, small, tensors }, mean => Assert.InRange(Loss(mean), losses.Min() - 0.5, losses.Max() + 0.5));
        CliRun.Of("train", place.Model, "--data", place.Rows, "--out", place.Fresh(), "--steps", "1", "--init-adapter", small)
            .Succeeded();
    }

    [Theory]
    [InlineData("--weights has 1 weight for 2 adapters", "--weights", "1")]
    [InlineData("--weights has 'x'; a weight is a number", "--weights", "x,1")]
    [InlineData("--tensors keeps the rank", "--tensors", "--svd-rank", "2")]
    public void Average_OfWrongOptions_IsRefused(string words, params string[] options)
    {
        var device = Trained(1);

        CliRun.Of(["average", device, device, "--out", place.Fresh(), .. options]).Refused(2, words);
    }

    private string Trained(int seed)
    {
        var folder = place.Fresh();
        CliRun.Of(
            "train", place.Model, "--data", place.Rows, "--out", folder, "--rank", "2", "--steps", "2", "--lr", "1e-3",
            "--seed", $"{seed}").Succeeded();
        return folder;
    }

    private double Loss(string adapter) =>
        (double)CliRun.Of("eval", place.Model, "--adapter", adapter, "--data", place.Rows, "--json").Json["loss"]!;
}
