using System.Collections.Immutable;
using System.Text.Json;
using OrtPeft.Adapters;
using OrtPeft.Adapters.Full;
using OrtPeft.Models;
using OrtPeft.Testing;
using OrtPeft.Training.Data;

namespace OrtPeft.Training.Tests.Runs;

public sealed class PackingTests
{
    private static readonly string Folder = Path.Combine(Fixtures.Folder, "chat", "packing");

    /// <summary>
    /// Within 1e-6 of float64, ten times float32's rounding. Rows that saw each other would be 0.01 off; so would
    /// GPT-2's, whose positions count from the start, if those went on from row to row.
    /// </summary>
    [Theory]
    [InlineData("llama", "tiny_llama", null, 0)]
    [InlineData("llama", "tiny_llama", null, 64)]
    [InlineData("lora", "tiny_llama", "tiny_lora", 64)]
    [InlineData("gpt2", "tiny_gpt2", null, 0)]
    [InlineData("gpt2", "tiny_gpt2", null, 64)]
    public void Run_OfPacks_HasTransformersLossAndGradient(string run, string model, string? adapter, int packLength)
    {
        var golden = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, "losses.json"))).RootElement;
        var rows = golden.GetProperty("rows").EnumerateArray()
            .Select(static row => new Example(Numbers(row, "input_ids"), Numbers(row, "labels"))).ToArray();
        var loaded = ModelSource.Open(Path.Combine(Folder, model)).Model;
        var peft = adapter is null
            ? PeftModel.Create(loaded, new FullConfig())
            : PeftModel.Load(loaded, Path.Combine(Folder, adapter));

        var step = Assert.Single(Tiny.Run(
            peft,
            Tiny.Arguments with
            {
                BatchSize = rows.Length,
                PackLength = packLength == 0 ? null : packLength,
                MaxSteps = 1,
            },
            new TokenDataset(rows)));

        var expected = golden.GetProperty(run);
        Assert.Equal(expected.GetProperty("loss").GetDouble(), step.Loss, 1e-6 * step.Loss);
        Assert.Equal(expected.GetProperty("grad_norm").GetDouble(), step.GradNorm, 1e-6 * step.GradNorm);
    }

    [Fact]
    public void Run_OfPacks_HasTheLossesAndGradientsOfTheirRows()
    {
        var length = Tiny.Rows.Sum(static row => row.Length); // one pack of all rows
        var (apart, packed) = (Tiny.Lora(), Tiny.Lora());

        var expected = Tiny.Run(apart, Tiny.Arguments with { BatchSize = Tiny.Rows.Count, MaxSteps = 3 });
        var found = Tiny.Run(packed, Tiny.Arguments with { BatchSize = 1, PackLength = length, MaxSteps = 3 });

        Assert.Equal(expected.Select(static m => m.Loss), found.Select(static m => m.Loss));
        Assert.Equal(expected.Select(static m => m.GradNorm), found.Select(static m => m.GradNorm));
        Assert.Equal(Tiny.Numbers(apart), Tiny.Numbers(packed));
    }

    private static ImmutableArray<int> Numbers(JsonElement row, string name) =>
        [.. row.GetProperty(name).EnumerateArray().Select(static n => n.GetInt32())];
}
