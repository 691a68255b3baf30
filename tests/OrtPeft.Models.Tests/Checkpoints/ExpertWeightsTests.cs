using OrtPeft.Models.Checkpoints;
using OrtPeft.Models.Initialization;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;

namespace OrtPeft.Models.Tests.Checkpoints;

/// <summary>Experts stand in a file one by one, and in the graph together.</summary>
public sealed class ExpertWeightsTests
{
    private const string Stacked = "model.layers.1.mlp.experts.gate_up_proj";

    [Theory]
    [InlineData("mixtral", "block_sparse_moe.experts.2.w1.weight", "block_sparse_moe.experts.2.w3.weight")]
    [InlineData("qwen3_moe", "mlp.experts.2.gate_proj.weight", "mlp.experts.2.up_proj.weight")]
    public void Open_JoinsGatesAndInputsOfEachExpert(string family, string gate, string up)
    {
        var checkpoint = HfCheckpoint.Open(Fixture.Path($"families/{family}"), Assert.Fail);
        var file = SafetensorsFile.Open(Fixture.Path($"families/{family}/model.safetensors"));

        var weight = checkpoint.Weights[Stacked];

        var matrix = (int)(weight.Dims[1] * weight.Dims[2]);
        Assert.Equal(4, weight.Dims[0]);
        Assert.Equal(
            [.. file.Tensors[$"model.layers.1.{gate}"].ToFloat32(), .. file.Tensors[$"model.layers.1.{up}"].ToFloat32()],
            weight.ToFloat32()[(2 * matrix)..(3 * matrix)]);
    }

    [Fact]
    public void Open_TakesThemTogetherToo()
    {
        using var folder = new TemporaryFolder();
        var weights = HfCheckpoint.Open(Fixture.Path("families/mixtral")).Weights;
        Write(folder, weights.Select(static w => (w.Key, w.Value)));

        var checkpoint = HfCheckpoint.Open(folder.Path, Assert.Fail);

        Assert.Equal(weights[Stacked].ToFloat32(), checkpoint.Weights[Stacked].ToFloat32());
    }

    [Fact]
    public void Write_OfANewModel_WritesThemOneByOne()
    {
        using var folder = new TemporaryFolder();
        var config = ModelFamilies.Read(Fixture.Path("families/mixtral/config.json"));

        ModelInitializer.Write(config, 1, folder.Path);

        var names = SafetensorsFile.Open(Fixture.Path("families/mixtral/model.safetensors")).Tensors.Keys;
        Assert.Equal(names.Order(), SafetensorsFile.Open(folder["model.safetensors"]).Tensors.Keys.Order());
        Assert.NotEmpty(HfCheckpoint.Open(folder.Path, Assert.Fail).Weights);
    }

    [Theory]
    [InlineData("model.layers.1.block_sparse_moe.experts.3.w2.weight", "lacks the weight")]
    [InlineData("model.layers.1.block_sparse_moe.gate.weight", "lacks the weight 'model.layers.1.mlp.gate.weight'")]
    public void Open_WhenAnExpertIsMissing_SaysWhich(string missing, string expected)
    {
        using var folder = new TemporaryFolder();
        Write(folder, Original().Where(w => w.Name != missing));

        var error = Assert.Throws<OnnxFormatException>(() => HfCheckpoint.Open(folder.Path));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_WhenAnExpertHasAnotherShape_SaysWhich()
    {
        using var folder = new TemporaryFolder();
        const string Name = "model.layers.0.block_sparse_moe.experts.1.w3.weight";
        Write(folder, Original().Select(static w =>
            w.Name == Name ? (w.Name, Tensor.Of<float>(new float[64 * 31], [64, 31])) : w));

        var error = Assert.Throws<OnnxFormatException>(() => HfCheckpoint.Open(folder.Path));

        Assert.Contains($"'{Name}' is [64, 31], but config.json makes it [64, 32]", error.Message, StringComparison.Ordinal);
    }

    private static IEnumerable<(string Name, Tensor Tensor)> Original() =>
        SafetensorsFile.Open(Fixture.Path("families/mixtral/model.safetensors")).Tensors
            .Select(static w => (w.Key, w.Value));

    private static void Write(TemporaryFolder folder, IEnumerable<(string Name, Tensor Tensor)> weights)
    {
        File.Copy(Fixture.Path("families/mixtral/config.json"), folder["config.json"]);
        SafetensorsFile.Save(folder["model.safetensors"], weights.ToList(), new Dictionary<string, string>());
    }
}
