using OrtPeft.Adapters.Lora;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Goldens;

/// <summary>LoRA against HF PEFT: the first step's gradients, saved adapters, merged weights.</summary>
public sealed class LoraRunTests
{
    private static readonly string[] RunsWithGradients =
        ["lora_cattn_randB", "lora_all_randB", "lora_cattn_biaslora", "rslora_cattn", "dora_cattn_randB", "dora_all"];

    private static readonly string[] Runs =
    [
        "lora_cattn", "lora_cattn_randB", "lora_all", "lora_all_randB", "lora_cattn_biaslora", "rslora_cattn",
        "dora_cattn", "dora_cattn_randB", "dora_all",
    ];

    /// <summary>HF PEFT 0.13 leaves out biases that <c>lora_only</c> trains: its file is not the whole run.</summary>
    private static readonly string[] SavedRuns = [.. Runs.Where(static r => r != "lora_cattn_biaslora")];

    public static TheoryData<string, string> ModelsAndGradients => Gpt2.With(RunsWithGradients);

    public static TheoryData<string, string> ModelsAndRuns => Gpt2.With(Runs);

    public static TheoryData<string, string> ModelsAndSavedRuns => Gpt2.With(SavedRuns);

    [Theory]
    [MemberData(nameof(ModelsAndGradients))]
    public void Gradients_WhenFirstStep_AreHfPefts(string model, string name)
    {
        var run = TrainRun.Open(name);
        var peft = PeftModel.Create(Gpt2.Open(model), AdapterFolder.LoadConfig(run.AdapterFolder));
        peft.SetWeights(run.All("init"));

        var step = Step.Of(peft, TrainRun.Batch(0));

        var expected = run.All("grad1_64");
        Assert.Equal(run.Measured("const", "losses")[0], step.Loss, 1e-5);
        Assert.Equal(expected.Keys.Order(), step.Gradients.Keys.Order());
        foreach (var (key, gradient) in expected)
            Near.Relative(KeyBias.Left(key, gradient), KeyBias.Left(key, step.Gradients[key]), 1e-4, key);
    }

    [Theory]
    [MemberData(nameof(ModelsAndSavedRuns))]
    public void Load_WhenHfPeftSaved_GivesItsLogits(string model, string name)
    {
        var run = TrainRun.Open(name);

        var peft = PeftModel.Load(Gpt2.Open(model), run.AdapterFolder);

        Near.Absolute(run["logits_after_const_32"], DecoderLogits.Of(peft.Model, TrainRun.Batch(0)), 1e-5, "logits");
    }

    [Theory]
    [MemberData(nameof(ModelsAndRuns))]
    public void Merge_WhenTrained_GivesHfPeftsWeightsAndTheSameLogits(string model, string name)
    {
        var run = TrainRun.Open(name);
        var peft = PeftModel.Create(Gpt2.Open(model), AdapterFolder.LoadConfig(run.AdapterFolder));
        peft.SetWeights(run.All("final_const_64"));

        var merged = peft.Merge();

        foreach (var (weight, expected) in run.All("merged_const_64"))
            Near.Absolute(expected, merged.Graph.Find(weight)!.Initializer!, 1e-5, weight);
        var logits = DecoderLogits.Of(merged, TrainRun.Batch(0));
        Near.Absolute(DecoderLogits.Of(peft.Model, TrainRun.Batch(0)), logits, 1e-5, "logits");
        Near.Absolute(run["logits_after_const_64"], logits, 1e-5, "logits");
        Assert.DoesNotContain(merged.Graph.Values, static v => v.Name.Contains("lora_", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(ModelsAndSavedRuns))]
    public void Save_WhenLoadedFromHfPeft_WritesTheSameFile(string model, string name)
    {
        using var folder = new TemporaryFolder();
        var run = TrainRun.Open(name);

        PeftModel.Load(Gpt2.Open(model), run.AdapterFolder).Save(folder.Path);

        var file = AdapterFolder.WeightsFile;
        Assert.Equal(File.ReadAllBytes(Path.Combine(run.AdapterFolder, file)), File.ReadAllBytes(folder[file]));
    }

    [Fact]
    public void Load_WhenHfPeftLeftTrainedBiasesOut_KeepsTheBases()
    {
        var run = TrainRun.Open("lora_cattn_biaslora");
        var model = Gpt2.Open(Gpt2.Imported);

        var peft = PeftModel.Load(model, run.AdapterFolder);

        var weights = peft.GetWeights();
        var lora = Assert.IsType<LoraConfig>(peft.Config);
        Assert.Equal("lora_only", lora.Bias);
        Assert.Equal(6, weights.Count);
        Assert.Same(
            model.Graph.Find("transformer.h.0.attn.c_attn.bias")!.Initializer!.Data,
            weights["base_model.model.transformer.h.0.attn.c_attn.base_layer.bias"].Data);
    }
}
