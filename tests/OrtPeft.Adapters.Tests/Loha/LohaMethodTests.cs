using System.Text.Json.Nodes;
using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.Loha;
using OrtPeft.Adapters.Tests.Proof;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Loha;

public sealed class LohaMethodTests
{
    /// <summary>By r = 1 of 8 → 6 features the factored form is the cheaper, by r = 3 the made matrix.</summary>
    public static TheoryData<int, bool> Cases => new() { { 1, true }, { 1, false }, { 3, true }, { 3, false } };

    [Fact]
    public void Create_WhenDefault_HasHfPeftsNamesAndShapes()
    {
        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), new LohaConfig { R = 4 });

        const string Module = "base_model.model.transformer.h.0.attn.c_attn";
        Assert.Equal(
            [$"{Module}.hada_w1_a", $"{Module}.hada_w1_b", $"{Module}.hada_w2_a", $"{Module}.hada_w2_b"],
            peft.Parameters.Take(4).Select(static p => p.Name));
        Assert.Equal(
            [[96L, 4], [4, 32], [96, 4], [4, 32]],
            peft.Parameters.Take(4).Select(static p => p.Value.Initializer!.Dims.ToArray()));
        Assert.Equal(8, peft.Parameters.Count);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Create_WithWeights_ComputesTheNaiveSum(int r, bool isOutByIn)
    {
        var probe = new Probe(8, 6, isOutByIn);
        var peft = probe.Adapted(Config(r));
        var (w1a, w1b) = (Probe.Matrix(peft, "hada_w1_a"), Probe.Matrix(peft, "hada_w1_b"));
        var (w2a, w2b) = (Probe.Matrix(peft, "hada_w2_a"), Probe.Matrix(peft, "hada_w2_b"));

        var y = probe.Answer(peft.Model);

        var expected = probe.Naive((o, i) => 5.0 / r
            * Enumerable.Range(0, r).Sum(k => w1a(o, k) * w1b(k, i))
            * Enumerable.Range(0, r).Sum(k => w2a(o, k) * w2b(k, i)));
        Near.Within(expected, y, 1e-4, "y"); // float32 sums of numbers up to 100
        Near.Within(y, probe.Answer(peft.Merge()), 1e-4, "merged");
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Gradient_OfEveryFactor_IsTheCentralDifference(int r, bool isOutByIn)
    {
        var probe = new Probe(8, 6, isOutByIn);

        AdapterGradient.MustBeTheDifference(probe.Adapted(Config(r)), probe.X, Probe.Rows);
    }

    [Theory]
    [InlineData("""{"r2": 4}""", "r2")]
    [InlineData("""{"use_khatri_rao": true}""", "use_khatri_rao")]
    [InlineData("""{"init_weights": "abba"}""", "init_weights")]
    [InlineData("""{"rank_dropout": 1}""", "rank_dropout")]
    [InlineData("""{"module_dropout": -0.1}""", "module_dropout")]
    [InlineData("""{"r": 0}""", "r (rank)")]
    [InlineData("""{"alpha": null}""", "alpha")]
    public void FromFields_WhenItCannotBe_NamesTheField(string json, string field)
    {
        var fields = new ConfigFields(JsonNode.Parse(json)!.AsObject(), "config");

        var error = Assert.Throws<ConfigException>(() => LohaConfig.FromFields(fields));

        Assert.Contains(field, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FromFields_OfHfPeftsDefaults_AreTheDefaults()
    {
        const string Json = """
            {"peft_type": "LOHA", "task_type": "CAUSAL_LM", "r": 8, "alpha": 8,
             "rank_dropout": 0.0, "module_dropout": 0.0,
             "use_effective_conv2d": false, "use_khatri_rao": "auto",
             "r2": null, "init_weights": true,
             "rank_pattern": {}, "alpha_pattern": {}}
            """;

        var config = LohaConfig.FromFields(new ConfigFields(JsonNode.Parse(Json)!.AsObject(), "config"));

        Assert.Equal(new LohaConfig().ToJson().ToJsonString(), (config with { Unknown = [] }).ToJson().ToJsonString());
    }

    private static LohaConfig Config(int r) => new() { R = r, Alpha = 5, TargetModules = ["lin"] };
}
