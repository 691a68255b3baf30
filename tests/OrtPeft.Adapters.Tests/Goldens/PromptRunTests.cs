using OrtPeft.Onnx.Serialization;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Goldens;

/// <summary>Prompt, p- and prefix tuning against HF PEFT, on the graphs of every exporter.</summary>
public sealed class PromptRunTests
{
    private static readonly string[] Runs = ["prompt", "ptuning", "prefix", "prefix_proj"];

    /// <summary>Other weights, other activations, a head of another kind; axes that cannot grow.</summary>
    private static readonly string[] NotOfTheRun =
        ["hf442_g2l_defaultinit", "hf442_g2l_gelu", "nanogpt", "genai", "hf442_g2l_static3x11", "t113_"];

    public static TheoryData<string, string> ModelsAndRuns => Gpt2.With(Runs);

    public static TheoryData<string, string> GraphsAndRuns
    {
        get
        {
            var data = new TheoryData<string, string>();
            var graphs = Fixtures.Graphs
                .Where(static g => !NotOfTheRun.Any(n => g.StartsWith(n, StringComparison.Ordinal)));
            foreach (var graph in graphs)
                foreach (var run in Runs)
                    data.Add(graph, run);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(ModelsAndRuns))]
    public void Gradients_WhenFirstStep_AreHfPefts(string model, string name)
    {
        var run = TrainRun.Open(name);
        var config = AdapterFolder.LoadConfig(run.AdapterFolder);
        var peft = PeftModel.Create(Gpt2.Open(model), config, run.All("init"), name);
        var batch = TrainRun.Batch(0);

        var step = Step.Of(peft, batch);

        var expected = run.All("grad1_64");
        Assert.Equal(run.Measured("const", "losses")[0], step.Loss, 1e-5);
        Assert.Equal(expected.Keys.Order(), step.Gradients.Keys.Order());
        foreach (var (key, gradient) in expected)
            Near.Relative(gradient, step.Gradients[key], 1e-4, key);
    }

    [Theory]
    [MemberData(nameof(GraphsAndRuns))]
    public void Load_WhenHfPeftSaved_GivesItsLogits(string graph, string name)
    {
        var run = TrainRun.Open(name);

        var peft = PeftModel.Load(OnnxFile.Load(Fixtures.Graph(graph)), run.AdapterFolder);

        Near.Absolute(run["logits_after_const_32"], DecoderLogits.Of(peft.Model, TrainRun.Batch(0)), 1e-5, "logits");
    }

    [Theory]
    [MemberData(nameof(ModelsAndRuns))]
    public void Save_WhenLoadedFromHfPeft_WritesTheSameFile(string model, string name)
    {
        using var folder = new TemporaryFolder();
        var run = TrainRun.Open(name);

        PeftModel.Load(Gpt2.Open(model), run.AdapterFolder).Save(folder.Path);

        var file = AdapterFolder.WeightsFile;
        Assert.Equal(File.ReadAllBytes(Path.Combine(run.AdapterFolder, file)), File.ReadAllBytes(folder[file]));
    }

    [Theory]
    [MemberData(nameof(ModelsAndRuns))]
    public void Save_WhenTrained_WritesWhatHfPeftWrote(string model, string name)
    {
        using var folder = new TemporaryFolder();
        var run = TrainRun.Open(name);
        var config = AdapterFolder.LoadConfig(run.AdapterFolder);
        var peft = PeftModel.Create(Gpt2.Open(model), config, run.All("final_const_32"), name);

        peft.Save(folder.Path);

        var expected = AdapterFolder.LoadWeights(run.AdapterFolder);
        var (key, prompt) = Assert.Single(AdapterFolder.LoadWeights(folder.Path));
        // One or two float32 products of some dozen terms, summed in another order than PyTorch's.
        Near.Absolute(expected[key], prompt, 1e-5, key);
    }
}
