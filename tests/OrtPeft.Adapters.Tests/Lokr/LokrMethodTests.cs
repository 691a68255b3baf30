using OrtPeft.Adapters.Lokr;
using OrtPeft.Adapters.Tests.Proof;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Lokr;

public sealed class LokrMethodTests
{
    /// <summary>out = 6 = 2·3, in = 8 = 2·4: w2 is whole by r = 2, a product by r = 1; w1 a product only if made
    /// small.</summary>
    public static TheoryData<string, bool> Cases
    {
        get
        {
            var data = new TheoryData<string, bool>();
            foreach (var name in Configs.Keys)
            {
                data.Add(name, true);
                data.Add(name, false);
            }

            return data;
        }
    }

    private static Dictionary<string, LokrConfig> Configs => new()
    {
        ["whole"] = new() { R = 2 },
        ["w2 is a product"] = new() { R = 1 },
        ["both are products"] = new() { R = 1, DecomposeBoth = true, DecomposeFactor = 4 },
        ["one row"] = new() { R = 1, DecomposeFactor = 1 },
        ["long first factor"] = new() { R = 1, DecomposeFactor = 6 },
    };

    [Theory]
    [InlineData(256, -1, 16, 16)]
    [InlineData(128, -1, 8, 16)]
    [InlineData(127, -1, 1, 127)]
    [InlineData(128, 4, 4, 32)]
    [InlineData(768, -1, 24, 32)]
    [InlineData(2304, -1, 48, 48)]
    [InlineData(12, 5, 3, 4)]
    [InlineData(12, 6, 6, 2)]
    [InlineData(1, -1, 1, 1)]
    public void Factorization_GivesHfPeftsLengths(long length, int factor, long first, long second) =>
        Assert.Equal((first, second), Factorization.Of(length, factor));

    [Fact]
    public void Create_WhenDefault_HasHfPeftsNamesAndShapes()
    {
        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), new LokrConfig { R = 2 });

        const string Module = "base_model.model.transformer.h.0.attn.c_attn";
        Assert.Equal(
            [$"{Module}.lokr_w1", $"{Module}.lokr_w2_a", $"{Module}.lokr_w2_b"],
            peft.Parameters.Take(3).Select(static p => p.Name));
        Assert.Equal( // 96 = 8·12, 32 = 4·8
            [[8L, 4], [12, 2], [2, 8]],
            peft.Parameters.Take(3).Select(static p => p.Value.Initializer!.Dims.ToArray()));
    }

    [Fact]
    public void Create_WhenBothAreDecomposed_HasHfPeftsNamesAndShapes()
    {
        var config = new LokrConfig { R = 2, DecomposeBoth = true, TargetModules = ["c_attn"] };

        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), config);

        Assert.Equal(
            ["lokr_w1_a", "lokr_w1_b", "lokr_w2_a", "lokr_w2_b"],
            peft.Parameters.Take(4).Select(static p => p.Name.Split('.')[^1]));
        Assert.Equal(
            [[8L, 2], [2, 4], [12, 2], [2, 8]],
            peft.Parameters.Take(4).Select(static p => p.Value.Initializer!.Dims.ToArray()));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Create_WithWeights_ComputesTheNaiveSum(string name, bool isOutByIn)
    {
        var probe = new Probe(8, 6, isOutByIn);
        var peft = probe.Adapted(Config(name));
        var (first, second) = (Factor(peft, "lokr_w1"), Factor(peft, "lokr_w2"));

        var y = probe.Answer(peft.Model);

        var scale = 5.0 / Configs[name].R;
        var expected = probe.Naive((o, i) => scale
            * first.At(o / second.Rows, i / second.Columns) * second.At(o % second.Rows, i % second.Columns));
        Near.Within(expected, y, 1e-4, "y"); // float32 sums of numbers up to 100
        Near.Within(y, probe.Answer(peft.Merge()), 1e-4, "merged");
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Gradient_OfEveryFactor_IsTheCentralDifference(string name, bool isOutByIn)
    {
        var probe = new Probe(8, 6, isOutByIn);

        AdapterGradient.MustBeTheDifference(probe.Adapted(Config(name)), probe.X, Probe.Rows);
    }

    [Fact]
    public void ToJson_OfLycorisWeights_WritesHfPeftsWord()
    {
        var json = new LokrConfig { InitAsLycoris = true }.ToJson();

        Assert.Equal("lycoris", (string?)json["init_weights"]);
        Assert.False(json.ContainsKey("fan_in_fan_out"));
    }

    private static LokrConfig Config(string name) => Configs[name] with { Alpha = 5, TargetModules = ["lin"] };

    private static (Func<int, int, double> At, int Rows, int Columns) Factor(PeftModel peft, string name)
    {
        var dims = peft.GetWeights().ToDictionary(static w => w.Key.Split('.')[^1], static w => w.Value.Dims);
        if (dims.TryGetValue(name, out var whole))
            return (Probe.Matrix(peft, name), (int)whole[0], (int)whole[1]);
        var (a, b) = (Probe.Matrix(peft, $"{name}_a"), Probe.Matrix(peft, $"{name}_b"));
        var r = (int)dims[$"{name}_b"][0];
        var (rows, columns) = ((int)dims[$"{name}_a"][0], (int)dims[$"{name}_b"][1]);
        return ((i, j) => Enumerable.Range(0, r).Sum(k => a(i, k) * b(k, j)), rows, columns);
    }
}
