using System.Text.Json.Nodes;
using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Lora;

/// <summary>HF PEFT's <c>ensure_weight_tying</c> where an embedding or its tied head is a target.</summary>
public sealed class TiedFactorsTests
{
    private const string Root = "base_model.model.";
    private const string EmbeddingA = Root + "transformer.wte.lora_embedding_A";
    private const string EmbeddingB = Root + "transformer.wte.lora_embedding_B";
    private const string HeadA = Root + "lm_head.lora_A.weight";
    private const string HeadB = Root + "lm_head.lora_B.weight";

    private static readonly LoraConfig Config =
        new() { R = 2, LoraAlpha = 3, TargetModules = ["lm_head"], EnsureWeightTying = true };

    /// <summary>Tied directly, through a Transpose, and as a nameless transposed copy.</summary>
    public static TheoryData<string> Graphs => [Gpt2.Imported, Gpt2.Op13, "hf442_g2l_nopast_op13_nopp"];

    [Theory]
    [MemberData(nameof(Graphs))]
    public void Create_AddsOneProductToEmbeddingAndHead(string graph)
    {
        var peft = PeftModel.Create(Gpt2.Open(graph), Config);
        var weights = Trained(peft);

        peft.SetWeights(weights);

        Assert.Equal([EmbeddingA, EmbeddingB], peft.Parameters.Select(static p => p.Name));
        var expected = Answers(WithProduct(weights, 1.5));
        Near.Relative(expected, Answers(peft.Model), 1e-5, "logits");
        Near.Relative(expected, Answers(peft.Merge()), 1e-5, "merged");
    }

    /// <summary>A merge keeps one matrix, so that an HF folder can hold it.</summary>
    [Fact]
    public void Merge_KeepsTheTie()
    {
        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), Config);
        peft.SetWeights(Trained(peft));

        var merged = peft.Merge();

        Assert.NotNull(TiedModules.Of(merged));
        Assert.Single(merged.Graph.Initializers, static v => v.Initializer!.Dims is [101, 32]);
    }

    [Theory]
    [MemberData(nameof(Graphs))]
    public void Save_WritesThePairUnderBothNames_AndReadsItBack(string graph)
    {
        using var folder = new TemporaryFolder();
        var peft = PeftModel.Create(Gpt2.Open(graph), Config);
        peft.SetWeights(Trained(peft));

        peft.Save(folder.Path);

        var saved = AdapterFolder.LoadWeights(folder.Path);
        Assert.Equal([EmbeddingA, EmbeddingB, HeadA, HeadB], saved.Keys.Order(StringComparer.Ordinal).OrderBy(static k => k.Contains("lm_head", StringComparison.Ordinal)));
        Assert.Equal(saved[EmbeddingB].ToFloat32(), Turned(saved[HeadA]));
        Assert.Equal(saved[EmbeddingA].ToFloat32(), Turned(saved[HeadB]));
        Assert.Equal(["lm_head", "transformer.wte"], Targets(folder.Path));
        Assert.Equal(Answers(peft.Model), Answers(PeftModel.Load(Gpt2.Open(graph), folder.Path).Model));
    }

    [Fact]
    public void Create_WhenTheHeadsFactorsDiffer_SaysSo()
    {
        var weights = Trained(PeftModel.Create(Gpt2.Open(Gpt2.Imported), Config));
        weights[HeadA] = Tensor.Of<float>(new float[2 * 32], [2, 32]);

        var error = Assert.Throws<ConfigException>(
            () => PeftModel.Create(Gpt2.Open(Gpt2.Imported), Config, weights, "file"));

        Assert.Contains("are the same parameter and differ", error.Message, StringComparison.Ordinal);
    }

    /// <summary>PEFT asks whether the expression means the bare name.</summary>
    [Theory]
    [InlineData("lm_head|.*attn\\.c_attn", true)]
    [InlineData(".*\\.wte|transformer\\.lm_head", false)]
    public void Create_OfAnExpression_TiesWhereItMeansTheBareName(string expression, bool isTied)
    {
        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), Config with { TargetModules = expression });

        Assert.Equal(isTied, peft.Parameters.Any(static p => p.TransposedAliases.Count > 0));
        Assert.Contains(EmbeddingA, peft.Parameters.Select(static p => p.Name));
    }

    [Fact]
    public void Create_WithAnAlphaOfTheHeadsOwn_ScalesItApart()
    {
        var config = Config with { AlphaPattern = [KeyValuePair.Create("lm_head", 6.0)] };
        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), config);
        var weights = Trained(peft);

        peft.SetWeights(weights);

        var apart = PeftModel.Create(
            Gpt2.Open(Gpt2.Imported),
            config with { EnsureWeightTying = false, TargetModules = ["wte", "lm_head"] },
            new Dictionary<string, Tensor>(weights)
            {
                [HeadA] = Tensor.Of<float>(Turned(weights[EmbeddingB]), [2, 32]),
                [HeadB] = Tensor.Of<float>(Turned(weights[EmbeddingA]), [101, 2]),
            },
            "file");
        Near.Relative(Answers(apart.Model), Answers(peft.Model), 1e-5, "logits");
        Near.Relative(Answers(apart.Model), Answers(peft.Merge()), 1e-5, "merged");
    }

    [Fact]
    public void Create_WithDora_HasMagnitudesOfBoth()
    {
        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), Config with { UseDora = true });

        Assert.Equal(2, peft.Parameters.Count(static p => p.Name.EndsWith("lora_magnitude_vector", StringComparison.Ordinal)));
        Near.Relative(Answers(Gpt2.Open(Gpt2.Imported)), Answers(peft.Model), 1e-5, "start");
        peft.SetWeights(Trained(peft));
        Near.Relative(Answers(peft.Model), Answers(peft.Merge()), 1e-5, "merged");
    }

    [Fact]
    public void Create_WhenTheModelsAreNotTied_HasNoEffect()
    {
        var peft = PeftModel.Create(LlamaLike.Build(), Config);

        Assert.Equal([HeadA, HeadB], peft.Parameters.Select(static p => p.Name));
    }

    [Theory]
    [InlineData("exclude_modules", "[\"wte\"]")]
    [InlineData("init_lora_weights", "\"pissa\"")]
    [InlineData("lora_bias", "true")]
    public void Create_WithWhatCannotBeTied_NamesIt(string field, string value)
    {
        var fields = new JsonObject
        {
            ["target_modules"] = new JsonArray("lm_head"),
            ["ensure_weight_tying"] = true,
            [field] = JsonNode.Parse(value),
        };
        var config = LoraConfig.FromFields(new ConfigFields(fields, "file"));

        var error = Assert.Throws<ConfigException>(() => PeftModel.Create(Gpt2.Open(Gpt2.Imported), config));

        Assert.Contains(field, error.Message, StringComparison.Ordinal);
    }

    private static Dictionary<string, Tensor> Trained(PeftModel peft) => peft.GetWeights().ToDictionary(
        static w => w.Key,
        static w => Tensor.Of<float>(
            [.. w.Value.ToFloat32().Select(static (v, i) => v + (0.02f * ((i % 7) - 2)))], w.Value.Dims.AsSpan()),
        StringComparer.Ordinal);

    /// <summary>The base with W + s·(B·A)ᵀ as its one matrix.</summary>
    private static Model WithProduct(Dictionary<string, Tensor> weights, double scale)
    {
        var model = Gpt2.Open(Gpt2.Imported);
        var place = model.Graph.Find("transformer.wte.weight")!;
        var (a, b) = (weights[EmbeddingA].ToFloat32(), weights[EmbeddingB].ToFloat32());
        var w = place.Initializer!.ToFloat32();
        for (var token = 0; token < 101; token++)
        {
            for (var feature = 0; feature < 32; feature++)
                w[(token * 32) + feature] += (float)(scale * ((b[feature * 2] * a[token]) + (b[(feature * 2) + 1] * a[101 + token])));
        }

        model.Graph.SetInitializer(place, Tensor.Of<float>(w, [101, 32]));
        return model;
    }

    private static float[] Turned(Tensor matrix)
    {
        var (rows, columns, numbers) = ((int)matrix.Dims[0], (int)matrix.Dims[1], matrix.ToFloat32());
        return [.. Enumerable.Range(0, numbers.Length).Select(i => numbers[(i % rows * columns) + (i / rows)])];
    }

    private static IEnumerable<string> Targets(string folder) =>
        ((LoraConfig)AdapterFolder.LoadConfig(folder)).TargetModules!.Names.Order(StringComparer.Ordinal);

    private static float[] Answers(Model model) => DecoderLogits.Of(model, TrainRun.Batch(0)).ToFloat32();
}
