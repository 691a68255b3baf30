using System.Text.Json.Nodes;
using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.Tests.Proof;
using OrtPeft.Adapters.Vera;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Vera;

public sealed class VeraMethodTests
{
    private static readonly VeraConfig Config = new() { R = 5, TargetModules = ["lin"] };

    [Fact]
    public void Create_WhenModulesDiffer_SharesProjectionsOfTheLargestSizes()
    {
        var config = new VeraConfig { R = 6, TargetModules = ["c_attn", "mlp.c_proj"] };

        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), config);

        Assert.Equal(
            ["base_model.vera_A [6,128]", "base_model.vera_B [96,6]"],
            peft.Buffers.Select(static b => $"{b.Name} [{string.Join(',', b.Value.Initializer!.Dims)}]"));
        Assert.Equal(
            [
                "base_model.model.transformer.h.0.attn.c_attn.vera_lambda_b [96]",
                "base_model.model.transformer.h.0.attn.c_attn.vera_lambda_d [6]",
                "base_model.model.transformer.h.0.mlp.c_proj.vera_lambda_b [32]",
                "base_model.model.transformer.h.0.mlp.c_proj.vera_lambda_d [6]",
            ],
            peft.Parameters.Take(4).Select(static p => $"{p.Name} [{string.Join(',', p.Value.Initializer!.Dims)}]"));
        Assert.Equal(2 * (96 + 6 + 32 + 6), peft.TrainableParameterCount);
    }

    [Fact]
    public void Create_WhenFresh_StartsWithHfPeftsNumbers()
    {
        var weights = PeftModel.Create(Gpt2.Open(Gpt2.Imported), new VeraConfig { R = 64 }).GetWeights();

        Assert.All(weights, static w =>
        {
            if (w.Key.EndsWith("lambda_b", StringComparison.Ordinal))
                Assert.All(w.Value.ToFloat32(), static v => Assert.Equal(0, v));
            else if (w.Key.EndsWith("lambda_d", StringComparison.Ordinal))
                Assert.All(w.Value.ToFloat32(), static v => Assert.Equal(0.1f, v));
            else
                Assert.InRange(w.Value.ToFloat32().Max() / Math.Sqrt(6.0 / w.Value.Dims[1]), 0.98, 1);
        });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Create_WithWeights_ComputesTheNaiveSum(bool isOutByIn)
    {
        var probe = new Probe(8, 6, isOutByIn);
        var peft = probe.Adapted(Config);
        var (a, b) = (Probe.Matrix(peft, "vera_A"), Probe.Matrix(peft, "vera_B"));
        var (lambdaB, lambdaD) = (Probe.Matrix(peft, "lambda_b"), Probe.Matrix(peft, "lambda_d"));

        var y = probe.Answer(peft.Model);

        var expected = probe.Naive((o, i) =>
            lambdaB(0, o) * Enumerable.Range(0, 5).Sum(k => b(o, k) * lambdaD(0, k) * a(k, i)));
        Near.Within(expected, y, 1e-5, "y"); // float32 sums of numbers up to 10
        Near.Within(y, probe.Answer(peft.Merge()), 1e-5, "merged");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Gradient_OfBothVectors_IsTheCentralDifference(bool isOutByIn)
    {
        var probe = new Probe(8, 6, isOutByIn);

        AdapterGradient.MustBeTheDifference(probe.Adapted(Config), probe.X, Probe.Rows);
    }

    [Fact]
    public void Load_WithoutProjections_SaysWhy()
    {
        using var folder = new TemporaryFolder();
        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), new VeraConfig { R = 4 });
        var vectors = peft.GetWeights().Where(static w => w.Key.Contains("lambda", StringComparison.Ordinal));
        AdapterFolder.Save(folder.Path, peft.Config, vectors.ToDictionary());

        var error = Assert.Throws<ConfigException>(() => PeftModel.Load(Gpt2.Open(Gpt2.Imported), folder.Path));

        Assert.Contains("base_model.vera_A", error.Message, StringComparison.Ordinal);
        Assert.Contains("save_projection", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FromFields_WhenProjectionsAreNotSaved_SaysWhy()
    {
        var fields = new ConfigFields(new JsonObject { ["save_projection"] = false }, "config");

        var error = Assert.Throws<ConfigException>(() => VeraConfig.FromFields(fields));

        Assert.Contains("save_projection is false", error.Message, StringComparison.Ordinal);
    }
}
