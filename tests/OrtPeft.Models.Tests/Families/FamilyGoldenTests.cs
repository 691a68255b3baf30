using OrtPeft.Models.Checkpoints;
using OrtPeft.Models.Llama;
using OrtPeft.Tensors;

namespace OrtPeft.Models.Tests.Families;

public sealed class FamilyGoldenTests
{
    public static TheoryData<string> Names => [.. FamilyGolden.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void ToModel_GivesHfsLoss(string name)
    {
        using var golden = new FamilyGolden(name);

        var sums = golden.ComputeRowSums();

        for (var row = 0; row < sums.Length; row++)
            Assert.InRange(sums[row] / golden.RowSums[row], 1 - 1e-6, 1 + 1e-6);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void ToModel_OverTheCache_GivesHfsTokens(string name)
    {
        using var golden = new FamilyGolden(name);

        Assert.Equal(golden.Greedy, golden.Generate(golden.Greedy.Length));
    }

    /// <summary>Only what HF trains is a vector or a matrix: full fine-tuning takes those.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void ToModel_HasNoVectorsOrMatricesButTheWeights(string name)
    {
        var checkpoint = HfCheckpoint.Open(Fixture.Path($"families/{name}"));

        var parameters = checkpoint.ToModel().Graph.Initializers
            .Where(static v => v.Type == ElementType.Float && v.Initializer!.Dims.Length is 1 or 2);

        var expected = checkpoint.Weights.Where(static w => w.Value.Dims.Length < 3).Select(static w => w.Key);
        Assert.Equal(expected.Order(), parameters.Select(static v => v.Name).Order());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Read_OfToJson_GivesTheSameConfig(string name)
    {
        using var folder = new TemporaryFolder();
        var config = ModelFamilies.Read(Fixture.Path($"families/{name}/config.json"));
        File.WriteAllText(folder["config.json"], config.ToJson());

        var expected = config is LlamaConfig llama ? llama with { HeadDim = llama.HeadSize } : config;
        Assert.Equal(expected, ModelFamilies.Read(folder["config.json"]));
    }

    /// <summary>A graph's own description is read too, whatever it says.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void TryRead_GivesTheSameConfig(string name)
    {
        var path = Fixture.Path($"families/{name}/config.json");

        Assert.Equal(ModelFamilies.Read(path), ModelFamilies.TryRead(path));
    }
}
