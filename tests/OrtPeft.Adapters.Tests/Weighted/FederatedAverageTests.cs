using OrtPeft.Adapters.Ia3;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Weighted;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Numerics;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Weighted;

public sealed class FederatedAverageTests
{
    private const int In = 7;
    private const int Out = 5;
    private const string A = "base_model.model.h.0.attn.c_attn.lora_A.weight";
    private const string EmbeddingA = "base_model.model.wte.lora_embedding_A";
    private const string EmbeddingB = "base_model.model.wte.lora_embedding_B";
    private const string B = "base_model.model.h.0.attn.c_attn.lora_B.weight";

    /// <summary>Ranks, alphas, rank-stabilised scales and shares all differ; a sum of 3 + 2 products of float32.</summary>
    [Fact]
    public void OfProducts_IsTheMeanOfTheChanges()
    {
        var (first, second) = (
            Adapter("one", new LoraConfig { R = 3, LoraAlpha = 6 }, 3, weight: 3),
            Adapter("two", new LoraConfig { R = 2, LoraAlpha = 16, UseRslora = true }, 2, weight: 1));

        var (config, weights) = FederatedAverage.OfProducts([first, second]);

        var lora = Assert.IsType<LoraConfig>(config);
        Assert.Equal((5, 5.0, false), (lora.R, lora.LoraAlpha, lora.UseRslora));
        var expected = Change(first).Zip(Change(second), static (a, b) => (float)((0.75 * a) + (0.25 * b))).ToArray();
        var found = Change(new AveragedAdapter("mean", lora, weights, 1)).Select(static v => (float)v).ToArray();
        Near.Within(expected, found, 1e-5, "the mean of the changes");
    }

    /// <summary>Two adapters of one direction: their mean has rank 1, so that rank 1 keeps all of it.</summary>
    [Fact]
    public void OfProducts_OfLessRank_KeepsTheLargestDirections()
    {
        var first = Adapter("one", new LoraConfig { R = 1, LoraAlpha = 1 }, 1, weight: 1);
        var tripled = first.Weights[B].ToFloat32().Select(static v => 3 * v).ToArray();
        var second = first with
        {
            Weights = new Dictionary<string, Tensor>(first.Weights) { [B] = Tensor.Of<float>(tripled, [Out, 1]) },
        };

        var (config, weights) = FederatedAverage.OfProducts([first, second], rank: 1);

        Assert.Equal(1, ((LoraConfig)config).R);
        Near.Within(
            [.. Change(first).Select(static v => (float)(2 * v))],
            [.. Change(new AveragedAdapter("mean", config, weights, 1)).Select(static v => (float)v)],
            1e-5,
            "the mean of the changes");
    }

    [Fact]
    public void OfTensors_IsTheMeanOfEach()
    {
        var config = new LoraConfig { R = 2 };
        var (first, second) = (Adapter("one", config, 2, weight: 1, seed: 1), Adapter("two", config, 2, weight: 3, seed: 2));

        var (_, weights) = FederatedAverage.OfTensors([first, second]);

        foreach (var name in new[] { A, B })
        {
            var expected = first.Weights[name].ToFloat32().Zip(
                second.Weights[name].ToFloat32(), static (a, b) => (float)((0.25 * a) + (0.75 * b)));
            Near.Within([.. expected], weights[name].ToFloat32(), 1e-6, name);
        }
    }

    /// <summary>An embedding's factors are factors: their means apart, at the new scale, would be another change.</summary>
    [Fact]
    public void OfProducts_OfAnEmbedding_IsTheMeanOfItsChange()
    {
        var (one, two) = (Adapter("one", new LoraConfig { R = 2, LoraAlpha = 6 }, 2, 1), Adapter("two", new LoraConfig { R = 3 }, 3, 1));

        var (config, weights) = FederatedAverage.OfProducts([AsEmbedding(one), AsEmbedding(two)], rank: 2);
        var (other, linear) = FederatedAverage.OfProducts([one, two], rank: 2);

        Assert.Equal(((LoraConfig)other).LoraAlpha, ((LoraConfig)config).LoraAlpha);
        Assert.Equal(linear[A].ToFloat32(), weights[EmbeddingA].ToFloat32());
        Assert.Equal(linear[B].ToFloat32(), weights[EmbeddingB].ToFloat32());
    }

    public static TheoryData<string, string> Refusals => new()
    {
        { "rank", "'two' has another r than 'one'" },
        { "negative", "The weight of 'two' is -1; it must be 0 or more" },
        { "zero", "All weights are 0" },
        { "missing", "has not; average adapters of the same modules" },
        { "dora", "DoRA's magnitudes" },
        { "pissa", "init_lora_weights 'pissa' takes its start out of the base" },
        { "convolution", "lora_A.weight is no factor of a layer's matrix" },
        { "half", "'two' has no base_model.model.h.0.attn.c_attn.lora_B.weight" },
        { "ia3", "'two' is IA3, which has no products" },
        { "shape", "is [2, 7] in 'one' and [2, 8] in 'two'" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public void Average_OfWhatHasNoMean_SaysWhy(string what, string words)
    {
        var config = new LoraConfig { R = 2 };
        var (one, two) = (Adapter("one", config, 2, weight: 1), Adapter("two", config, 2, weight: 1));

        var error = Assert.Throws<ConfigException>(() => what switch
        {
            "rank" => FederatedAverage.OfTensors([one, Adapter("two", config with { R = 3 }, 3, 1)]),
            "negative" => FederatedAverage.OfProducts([one, two with { Weight = -1 }]),
            "zero" => FederatedAverage.OfProducts([one with { Weight = 0 }, two with { Weight = 0 }]),
            "missing" => FederatedAverage.OfProducts(
                [one, two with { Weights = two.Weights.Where(static w => w.Key != A).ToDictionary() }]),
            "dora" => FederatedAverage.OfProducts([one, two with { Config = config with { UseDora = true } }]),
            "pissa" => FederatedAverage.OfProducts([one, two with { Config = config with { InitLoraWeights = LoraInit.Pissa } }]),
            "convolution" => FederatedAverage.OfProducts([one with
            {
                Weights = new Dictionary<string, Tensor>(one.Weights) { [A] = Tensor.Of<float>(new float[14], [2, 7, 1, 1]) },
            }]),
            "half" => FederatedAverage.OfProducts(
                [two with { Weights = two.Weights.Where(static w => w.Key != B).ToDictionary() }]),
            "ia3" => FederatedAverage.OfProducts([one, two with { Config = new Ia3Config() }]),
            _ => FederatedAverage.OfProducts([one, two with
            {
                Weights = new Dictionary<string, Tensor>(two.Weights) { [A] = Tensor.Of<float>(new float[16], [2, 8]) },
            }]),
        });

        Assert.Contains(words, error.Message, StringComparison.Ordinal);
    }

    private static AveragedAdapter AsEmbedding(AveragedAdapter adapter) => adapter with
    {
        Weights = new Dictionary<string, Tensor> { [EmbeddingA] = adapter.Weights[A], [EmbeddingB] = adapter.Weights[B] },
    };

    private static AveragedAdapter Adapter(string name, LoraConfig config, int rank, double weight, long seed = 0)
    {
        var random = new SplitMix64(seed, name);
        float[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextNormal(1))];
        return new AveragedAdapter(name, config with { TargetModules = ["c_attn"] }, new Dictionary<string, Tensor>
        {
            [A] = Tensor.Of<float>(Numbers(rank * In), [rank, In]),
            [B] = Tensor.Of<float>(Numbers(Out * rank), [Out, rank]),
        }, weight);
    }

    /// <summary>s·B·A, row by row.</summary>
    private static double[] Change(AveragedAdapter adapter)
    {
        var scale = ((LoraConfig)adapter.Config).ScaleOf("h.0.attn.c_attn");
        var (a, b) = (adapter.Weights[A].ToFloat32(), adapter.Weights[B].ToFloat32());
        var rank = a.Length / In;
        return [.. Enumerable.Range(0, Out * In).Select(i => scale * Enumerable.Range(0, rank).Sum(
            k => (double)b[(i / In * rank) + k] * a[(k * In) + (i % In)]))];
    }
}
