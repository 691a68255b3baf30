using OrtPeft.Adapters.Ia3;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Tests.Several;
using OrtPeft.Adapters.Weighted;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Weighted;

public sealed class WeightedAdapterTests
{
    private static readonly LoraConfig Random = new()
    {
        R = 4,
        LoraAlpha = 6,
        InitLoraWeights = false,
        TargetModules = ["c_attn", "mlp.c_fc", "wte"],
    };

    public static TheoryData<string> Types =>
    [
        "svd", "cat", "linear", "ties", "ties_svd", "dare_linear", "dare_linear_svd", "dare_ties", "dare_ties_svd",
        "magnitude_prune", "magnitude_prune_svd",
    ];

    [Fact]
    public void Cat_IsTheSumOfBothAdapters()
    {
        var model = WithTwo(Random with { R = 2, UseRslora = true });

        model.AddWeightedAdapter("sum", [("default", 1), ("second", 1)], Of("cat"));

        model.Adapters.Set("default", "second");
        var both = Answers.Of(model.Model);
        model.Adapters.Set("sum");
        Assert.InRange(Answers.Difference(both, Answers.Of(model.Model)), 0, Answers.Rounding);
        Assert.Equal(6, ((LoraConfig)model.Config).R);
    }

    /// <summary>HF PEFT's formula: √|w·s| on both sides, the sign on A's.</summary>
    [Fact]
    public void Linear_OfANegativeWeight_PutsItsSignIntoA()
    {
        const string Module = "base_model.model.transformer.h.0.attn.c_attn";
        var model = WithTwo(Random);
        var (a, b) = (model.Adapters.WeightsOf("default"), model.Adapters.WeightsOf("second"));

        model.AddWeightedAdapter("mix", [("default", 0.7), ("second", -0.4)], Of("linear"));

        var (plus, minus) = (Math.Sqrt(0.7 * 1.5), Math.Sqrt(0.4 * 1.5));
        AssertSum("lora_A", -minus);
        AssertSum("lora_B", minus);

        void AssertSum(string factor, double second)
        {
            var (x, y) = (a[$"{Module}.{factor}.weight"].ToFloat32(), b[$"{Module}.{factor}.weight"].ToFloat32());
            var expected = x.Zip(y, (p, q) => (float)((plus * p) + (second * q)));
            Assert.Equal(expected, model.Adapters.WeightsOf("mix")[$"{Module}.{factor}.weight"].ToFloat32(), Close);
        }

        static bool Close(float p, float q) => Math.Abs(p - q) <= 1e-6;
    }

    [Fact]
    public void Cat_OfDifferentLayers_IsTheSumToo()
    {
        var model = WithTwo(Random with { R = 3, TargetModules = ["attn.c_proj", "c_attn"] });

        model.AddWeightedAdapter("sum", [("default", 1), ("second", 1)], Of("cat"));

        model.Adapters.Set("default", "second");
        var both = Answers.Of(model.Model);
        model.Adapters.Set("sum");
        Assert.InRange(Answers.Difference(both, Answers.Of(model.Model)), 0, Answers.Rounding);
    }

    [Fact]
    public void Cat_WithOppositeWeights_IsTheBase()
    {
        var model = WithTwo(Random);

        model.AddWeightedAdapter("none", [("second", 0.5), ("second", -0.5)], Of("cat"));

        model.Adapters.Set("none");
        var plain = Answers.Of(Gpt2.Canonical(Gpt2.Imported));
        Assert.InRange(Answers.Difference(plain, Answers.Of(model.Model)), 0, Answers.Rounding);
    }

    [Fact]
    public void Svd_OfFullRank_IsCat()
    {
        var model = WithTwo(Random with { R = 2 });
        (string, double)[] parts = [("default", 0.7), ("second", -0.4)];
        model.AddWeightedAdapter("cat", parts, Of("cat"));

        model.AddWeightedAdapter("svd", parts, Of("svd") with { SvdRank = 6 });

        Assert.InRange(Answers.Difference(LogitsOf(model, "cat"), LogitsOf(model, "svd")), 0, Answers.Rounding);
    }

    [Fact]
    public void Svd_OfAProduct_IsTheSameAsOfItsFactors()
    {
        var model = WithTwo(Random);
        (string, double)[] parts = [("default", 0.7), ("second", 0.4)];
        model.AddWeightedAdapter("factors", parts, Of("svd"));

        model.AddWeightedAdapter("product", parts, Of("magnitude_prune_svd") with { Density = 1 });

        Assert.InRange(Answers.Difference(LogitsOf(model, "factors"), LogitsOf(model, "product")), 0, Answers.Rounding);
        Assert.Equal(4, ((LoraConfig)model.Adapters.ConfigOf("factors")).R);
    }

    [Fact]
    public void Svd_BeyondTheFullRank_IsFilledWithZeros()
    {
        var model = WithTwo(Random);
        (string, double)[] parts = [("default", 1), ("second", 1)];
        model.AddWeightedAdapter("cat", parts, Of("cat"));

        model.AddWeightedAdapter("wide", parts, Of("svd") with { SvdRank = 40 });

        Assert.Equal(40, ((LoraConfig)model.Adapters.ConfigOf("wide")).R);
        Assert.InRange(Answers.Difference(LogitsOf(model, "cat"), LogitsOf(model, "wide")), 0, Answers.Rounding);
    }

    [Theory]
    [InlineData(1.0)]
    [InlineData(-0.3)]
    public void Linear_OfOneAdapter_IsThatAdapterTimesItsWeight(double weight)
    {
        var model = WithTwo(Random);
        model.AddWeightedAdapter("cat", [("second", weight), ("default", 0)], Of("cat"));

        model.AddWeightedAdapter("one", [("second", weight)]);

        Assert.InRange(Answers.Difference(LogitsOf(model, "cat"), LogitsOf(model, "one")), 0, Answers.Rounding);
    }

    [Fact]
    public void Linear_AddsFactorsTimesTheRootOfWeightAndScale()
    {
        var model = WithTwo(Random);
        const string A = "base_model.model.transformer.h.0.attn.c_attn.lora_A.weight";
        var first = model.Adapters.WeightsOf("default")[A].ToFloat32();
        var second = model.Adapters.WeightsOf("second")[A].ToFloat32();

        model.AddWeightedAdapter("mean", [("default", 0.5), ("second", 2)], Of("linear"));

        var expected = first.Zip(second, static (a, b) => (float)((Math.Sqrt(0.75) * a) + (Math.Sqrt(3) * b)));
        Assert.Equal(expected, model.Adapters.WeightsOf("mean")[A].ToFloat32());
        var config = (LoraConfig)model.Adapters.ConfigOf("mean");
        Assert.Equal((4, 4.0), (config.R, config.LoraAlpha));
        Assert.Equal(Random.TargetModules, config.TargetModules);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void EveryType_CanBeSavedAndLoaded(string type)
    {
        using var folder = new TemporaryFolder();
        var model = WithTwo(Random);

        model.AddWeightedAdapter("new", [("default", 1), ("second", 0.5)], Of(type));

        var logits = LogitsOf(model, "new");
        model.Save(folder.Path);
        var loaded = PeftModel.Load(Gpt2.Open(Gpt2.Imported), Path.Combine(folder.Path, "new"));
        Assert.Equal(logits, Answers.Of(loaded.Model));
        Assert.All(logits, static v => Assert.True(float.IsFinite(v)));
    }

    [Theory]
    [InlineData("dare_linear")]
    [InlineData("dare_ties")]
    public void Dare_DependsOnItsSeedAlone(string type)
    {
        var model = WithTwo(Random);
        (string, double)[] parts = [("default", 1), ("second", 1)];

        model.AddWeightedAdapter("one", parts, Of(type));
        model.AddWeightedAdapter("same", parts, Of(type));
        model.AddWeightedAdapter("other", parts, Of(type) with { Seed = 1 });

        Assert.Equal(LogitsOf(model, "one"), LogitsOf(model, "same"));
        Assert.NotEqual(LogitsOf(model, "one"), LogitsOf(model, "other"));
    }

    [Theory]
    [InlineData("linear")]
    [InlineData("ties")]
    [InlineData("dare_linear")]
    [InlineData("magnitude_prune")]
    public void EqualRanks_WhereTheyDiffer_AreAskedFor(string type)
    {
        var model = WithTwo(Random with { R = 8 });

        var error = Assert.Throws<ConfigException>(
            () => model.AddWeightedAdapter("new", [("default", 1), ("second", 1)], Of(type)));

        Assert.Contains("rank 4 in 'default' and 8 in 'second'", error.Message, StringComparison.Ordinal);
        Assert.Contains("cat or svd", error.Message, StringComparison.Ordinal);
    }

    public static TheoryData<WeightedCombination, string> BadFields => new()
    {
        { new() { CombinationType = "mean" }, "combination_type is 'mean'" },
        { new() { SvdRank = 0 }, "svd_rank is 0" },
        { new() { CombinationType = "cat", SvdRank = 4 }, "svd_rank is 4" },
        { new() { CombinationType = "ties" }, "density is missing" },
        { new() { CombinationType = "ties", Density = 0 }, "density is 0" },
        { new() { CombinationType = "dare_ties_svd", Density = 1.5 }, "density is 1.5" },
        { new() { CombinationType = "linear", Density = 0.5 }, "density is 0.5" },
        { new() { CombinationType = "ties", Density = 0.5, MajoritySignMethod = "sum" }, "'sum'" },
    };

    [Theory]
    [MemberData(nameof(BadFields))]
    public void Fields_OutOfRange_AreNamed(WeightedCombination how, string part)
    {
        var model = WithTwo(Random);

        var error = Assert.Throws<ConfigException>(
            () => model.AddWeightedAdapter("new", [("default", 1), ("second", 1)], how));

        Assert.Contains(part, error.Message, StringComparison.Ordinal);
        Assert.Equal(["default", "second"], model.Adapters.Names);
    }

    [Fact]
    public void Adapters_ThatAreNoPlainLora_AreRefused()
    {
        var model = WithTwo(Random with { UseDora = true });
        model.Adapters.Add("vectors", new Ia3Config());

        var dora = Assert.Throws<ConfigException>(() => Add("second"));
        var vectors = Assert.Throws<ConfigException>(() => Add("vectors"));
        var missing = Assert.Throws<ConfigException>(() => Add("third"));

        Assert.Contains("use_dora", dora.Message, StringComparison.Ordinal);
        Assert.Contains("'vectors' is IA3", vectors.Message, StringComparison.Ordinal);
        Assert.Contains("no adapter 'third'", missing.Message, StringComparison.Ordinal);
        Assert.Throws<ConfigException>(() => model.AddWeightedAdapter("new", []));
        Assert.Throws<ConfigException>(() => model.AddWeightedAdapter("new", [("default", double.NaN)]));

        void Add(string name) => model.AddWeightedAdapter("new", [("default", 1), (name, 1)], Of("cat"));
    }

    private static PeftModel WithTwo(LoraConfig second)
    {
        var model = PeftModel.Create(Gpt2.Open(Gpt2.Imported), Random);
        model.Adapters.Add("second", second, seed: 9);
        return model;
    }

    private static WeightedCombination Of(string type) => new()
    {
        CombinationType = type,
        Density = type is "svd" or "cat" or "linear" ? null : 0.6,
    };

    private static float[] LogitsOf(PeftModel model, string name)
    {
        model.Adapters.Set(name);
        return Answers.Of(model.Model);
    }
}
