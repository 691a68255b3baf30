using OrtPeft.Adapters;
using OrtPeft.Adapters.Full;
using OrtPeft.Adapters.Lora;
using OrtPeft.Models;
using OrtPeft.Models.Initialization;
using OrtPeft.Onnx;
using OrtPeft.Testing;
using OrtPeft.Training.Data;

namespace OrtPeft.Training.Tests.Runs;

/// <summary>Short runs of new Llama and Qwen2 models over rows of different lengths.</summary>
public sealed class LlamaRunTests
{
    private static readonly TrainingArguments Arguments = Tiny.Arguments with { MaxSteps = 10, BatchSize = 4 };

    private static readonly TokenDataset Data = new([.. Enumerable.Range(0, 8).Select(Row)]);

    public static TheoryData<string> Presets => ["tiny-llama", "tiny-qwen2"];

    [Theory]
    [MemberData(nameof(Presets))]
    public void Train_OfLora_LowersTheLoss_AndTheAdapterOutlivesTheRun(string preset)
    {
        using var folder = new TemporaryFolder();
        var model = Base(preset);
        var peft = PeftModel.Create(model, new LoraConfig { R = 4, LoraAlpha = 16 });
        var before = Logits(peft.Model);

        var steps = Tiny.Run(peft, Arguments, Data);

        Assert.True(steps[^1].Loss < steps[0].Loss - 0.1, $"{steps[^1].Loss} < {steps[0].Loss} - 0.1");
        var after = Logits(peft.Model);
        Assert.True(before.Zip(after, static (a, b) => Math.Abs(a - b)).Max() > 0.01);
        peft.Save(folder.Path);
        Assert.Equal(after, Logits(PeftModel.Load(model, folder.Path).Model));
        // A product of rank 4 added to the weight instead of to the result: float32 rounding of logits of about 1.
        Near.Within(after, Logits(peft.Merge()), 1e-5, "merged");
    }

    [Theory]
    [MemberData(nameof(Presets))]
    public void Train_OfAllWeights_LowersTheLoss_AndMergesToItself(string preset)
    {
        var peft = PeftModel.Create(Base(preset), new FullConfig());

        var steps = Tiny.Run(peft, Arguments with { LearningRate = 1e-3 }, Data);

        Assert.True(steps[^1].Loss < steps[0].Loss - 0.1, $"{steps[^1].Loss} < {steps[0].Loss} - 0.1");
        Assert.Equal(Logits(peft.Model), Logits(peft.Merge()));
    }

    private static Model Base(string preset)
    {
        var config = ModelPresets.Find(preset);
        return config.ToArchitecture().Build(ModelInitializer.CreateWeights(config, 3));
    }

    private static Example Row(int number)
    {
        var ids = Enumerable.Range(0, 6 + (number % 4)).Select(i => (number + (3 * i)) % 30).ToArray();
        return new Example([.. ids], [.. ids]);
    }

    private static float[] Logits(Model model)
    {
        var cache = model.Graph.Inputs.Skip(3).Select(static past => (
            past.Name, Tensor.Of<float>([], [1, past.Shape![1].Value!.Value, 0, past.Shape[3].Value!.Value])));
        var feeds = new Dictionary<string, Tensor>(cache.Select(static c => KeyValuePair.Create(c.Name, c.Item2)))
        {
            ["input_ids"] = Tensor.Of<long>([1, 4, 7, 10], [1, 4]),
            ["attention_mask"] = Tensor.Of<long>([1, 1, 1, 1], [1, 4]),
            ["position_ids"] = Tensor.Of<long>([0, 1, 2, 3], [1, 4]),
        };
        return OnnxRun.Of(model, feeds)["logits"].ToFloat32();
    }
}
