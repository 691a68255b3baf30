using OrtPeft.Adapters.Lora;
using OrtPeft.Onnx;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Modules;

/// <summary>HF PEFT's <c>ensure_weight_tying</c> beside <c>modules_to_save</c>.</summary>
public sealed class TiedModulesTests
{
    private const string Head = "base_model.model.lm_head.weight";
    private const string Embedding = "base_model.model.transformer.wte.weight";

    private static readonly LoraConfig Config =
        new() { R = 2, ModulesToSave = ["lm_head", "ln_f"], EnsureWeightTying = true };

    /// <summary>Tied directly, through a Transpose, and as a nameless transposed copy.</summary>
    public static TheoryData<string> Graphs => [Gpt2.Imported, Gpt2.Op13, "hf442_g2l_nopast_op13_nopp"];

    [Theory]
    [MemberData(nameof(Graphs))]
    public void Create_WhenHeadAndEmbeddingAreTied_TrainsOneMatrix(string graph)
    {
        var peft = PeftModel.Create(Gpt2.Open(graph), Config);
        var weights = peft.GetWeights().ToDictionary(StringComparer.Ordinal);
        weights[Embedding] = Moved(weights[Embedding]);

        peft.SetWeights(weights);

        Assert.DoesNotContain(Head, weights.Keys);
        var changed = Gpt2.Open(Gpt2.Imported);
        changed.Graph.SetInitializer(changed.Graph.Find("transformer.wte.weight")!, weights[Embedding]);
        var expected = Answers(changed);
        Near.Relative(expected, Answers(peft.Model), 1e-5, "logits");
        Near.Relative(expected, Answers(peft.Merge()), 1e-5, "merged");
    }

    [Theory]
    [MemberData(nameof(Graphs))]
    public void Save_WritesTheMatrixUnderBothNames_AndReadsItBack(string graph)
    {
        using var folder = new TemporaryFolder();
        var peft = PeftModel.Create(Gpt2.Open(graph), Config);
        var weights = peft.GetWeights().ToDictionary(StringComparer.Ordinal);
        weights[Embedding] = Moved(weights[Embedding]);
        peft.SetWeights(weights);

        peft.Save(folder.Path);

        var saved = AdapterFolder.LoadWeights(folder.Path);
        Assert.Equal(saved[Embedding].ToFloat32(), saved[Head].ToFloat32());
        Assert.True((bool?)peft.Config.ToJson()["ensure_weight_tying"]);
        Assert.Equal(Answers(peft.Model), Answers(PeftModel.Load(Gpt2.Open(graph), folder.Path).Model));
    }

    [Fact]
    public void Create_WhenTheTwoNamesDiffer_SaysSo()
    {
        var weights = PeftModel.Create(Gpt2.Open(Gpt2.Imported), Config).GetWeights().ToDictionary(StringComparer.Ordinal);
        weights[Head] = Moved(weights[Embedding]);

        var error = Assert.Throws<ConfigException>(
            () => PeftModel.Create(Gpt2.Open(Gpt2.Imported), Config, weights, "file"));

        Assert.Contains("are the same parameter and differ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_WhenTheModelsAreNotTied_HasNoEffect()
    {
        var config = Config with { ModulesToSave = ["lm_head"] };

        var peft = PeftModel.Create(LlamaLike.Build(), config);

        Assert.Equal(
            PeftModel.Create(LlamaLike.Build(), config with { EnsureWeightTying = false }).Parameters.Select(static p => p.Name),
            peft.Parameters.Select(static p => p.Name));
    }

    /// <summary>To HF PEFT, embeddings are called embed_tokens, and heads lm_head.</summary>
    [Fact]
    public void Create_WhenNoNameIsHfPeftsForAnEmbedding_HasNoEffect()
    {
        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), Config with { ModulesToSave = ["wte"] });

        var weights = peft.GetWeights().ToDictionary(StringComparer.Ordinal);
        weights[Embedding] = Moved(weights[Embedding]);
        peft.SetWeights(weights);
        var changed = Gpt2.Open(Gpt2.Imported);
        changed.Graph.SetInitializer(changed.Graph.Find("transformer.wte.weight")!, weights[Embedding]);
        Assert.NotEqual(Answers(changed), Answers(peft.Model));
    }

    private static Tensor Moved(Tensor tensor) => Tensor.Of<float>(
        [.. tensor.ToFloat32().Select(static (v, i) => (v * 1.1f) + (0.01f * (i % 7)))], tensor.Dims.AsSpan());

    private static float[] Answers(Model model) => DecoderLogits.Of(model, TrainRun.Batch(0)).ToFloat32();
}
