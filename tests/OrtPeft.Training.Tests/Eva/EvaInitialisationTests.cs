using OrtPeft.Adapters;
using OrtPeft.Adapters.LinearAlgebra;
using OrtPeft.Adapters.Lora;
using OrtPeft.Tensors.Numerics;
using OrtPeft.Testing;
using OrtPeft.Training.Eva;
using OrtPeft.Training.Tests.Runs;

namespace OrtPeft.Training.Tests.Eva;

public sealed class EvaInitialisationTests
{
    private const string FirstA = "base_model.model.transformer.h.0.attn.c_attn.lora_A.weight";

    private static readonly LoraConfig Config =
        new() { R = 3, InitLoraWeights = LoraInit.Eva, TargetModules = ["c_attn", "c_fc"] };

    /// <summary>
    /// Batches through the sums of all rows: the axes are those of all rows together, exactly while none is cut off.
    /// </summary>
    [Theory]
    [InlineData(6)]
    [InlineData(3)]
    public void IncrementalPca_OverBatches_IsThePcaOfAllRows(int count)
    {
        var rows = Rows(700, 6);
        var pca = new IncrementalPca(6, count);
        foreach (var (from, to) in new[] { (0, 20), (20, 600), (600, 700) })
            pca.Add(Part(rows, from, to));

        var covariance = Centred(rows).Transposed().Gram();
        var exact = SymmetricEigen.Of(covariance);
        var tolerance = count == 6 ? 1e-9 : 2e-2; // what was cut off is lost
        for (var k = 0; k < count; k++)
        {
            Assert.Equal(1, pca.Values[k] / Math.Sqrt(exact.Values[k]), tolerance);
            Assert.Equal(exact.Values[k] / exact.Values.Sum(), pca.VarianceRatios[k], tolerance);
        }
    }

    [Fact]
    public void Create_WithoutRedistribution_StartsAWithOrthonormalAxesAndBWithZero()
    {
        var config = Config with { EvaConfig = new EvaConfig { Rho = 1 } };

        var model = EvaInitialisation.Create(Tiny.Base, config, Tiny.Data, batchSize: 12);

        var a = model.GetWeights()[FirstA];
        var gram = Matrix.Of(3, 32, a.ToFloat32()).Gram();
        for (var i = 0; i < 3; i++)
            for (var j = 0; j < 3; j++)
                Assert.Equal(i == j ? 1 : 0, gram.Row(i)[j], 1e-5);
        Assert.Empty(((LoraConfig)model.Config).RankPattern);
        var batch = TrainRun.Batch(0);
        Near.Absolute(
            DecoderLogits.Of(PeftModel.Create(Tiny.Base, new LoraConfig()).Model, batch),
            DecoderLogits.Of(model.Model, batch),
            1e-6,
            "logits");
    }

    [Theory]
    [InlineData(12)]
    [InlineData(5)]
    public void Create_WithRedistribution_KeepsTheSumOfTheRanksAndEveryScale(int batchSize)
    {
        using var folder = new TemporaryFolder();

        var model = EvaInitialisation.Create(Tiny.Base, Config, Tiny.Data, batchSize);

        var config = (LoraConfig)model.Config;
        var ranks = model.Parameters.Where(static p => p.Name.EndsWith("lora_A.weight", StringComparison.Ordinal))
            .Select(static p => p.Value.Initializer!.Dims[0]).ToList();
        Assert.Equal(12, ranks.Sum());
        Assert.InRange(ranks.Max(), 4, 6);
        Assert.All(config.TargetModules!.Names, n => Assert.Equal(8.0 / 3, config.ScaleOf(n), 1e-9));
        model.Save(folder.Path);
        Assert.Equal(Tiny.Numbers(model), Tiny.Numbers(PeftModel.Load(Tiny.Base, folder.Path)));
    }

    [Fact]
    public void Create_WhenBatchesAreTooSmall_SaysWhatToGive()
    {
        var error = Assert.Throws<ConfigException>(
            () => EvaInitialisation.Create(Tiny.Base, Config with { R = 16 }, Tiny.Data, batchSize: 1));

        Assert.Contains("rho", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_GivesRanksToTheLargestParts()
    {
        var ranks = RankDistribution.Of([("a", [0.5, 0.1]), ("b", [0.4, 0.3]), ("c", [0.05, 0.01])], budget: 3);

        Assert.Equal((1, 2, 0), (ranks["a"], ranks["b"], ranks["c"]));
    }

    private static Matrix Rows(int rows, int columns)
    {
        var random = new SplitMix64(5, "rows");
        var matrix = new Matrix(rows, columns);
        for (var i = 0; i < rows; i++)
            for (var j = 0; j < columns; j++)
                matrix.Row(i)[j] = 3 + (random.NextNormal(1) * Math.Pow(0.4, j)) + (i * 1e-3);
        return matrix;
    }

    private static Matrix Part(Matrix rows, int from, int to)
    {
        var part = new Matrix(to - from, rows.Columns);
        for (var i = from; i < to; i++)
            rows.Row(i).CopyTo(part.Row(i - from));
        return part;
    }

    private static Matrix Centred(Matrix rows)
    {
        var result = Part(rows, 0, rows.Rows);
        for (var j = 0; j < rows.Columns; j++)
        {
            var mean = Enumerable.Range(0, rows.Rows).Average(i => rows.Row(i)[j]);
            for (var i = 0; i < rows.Rows; i++)
                result.Row(i)[j] -= mean;
        }

        return result;
    }
}
