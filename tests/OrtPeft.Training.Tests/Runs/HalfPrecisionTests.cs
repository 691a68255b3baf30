using OrtPeft.Adapters;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Merging;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Tensors;
using OrtPeft.Testing;
using OrtPeft.Training.Data;

namespace OrtPeft.Training.Tests.Runs;

/// <summary>A model of float16 weights is trained and measured in float32, and merged into either.</summary>
public sealed class HalfPrecisionTests
{
    private static Model Half => OnnxFile.Load(Path.Combine(Fixtures.Folder, "half", "t113_hf_op14_half.onnx"));

    /// <summary>The formulas' constants (ε, √(2/π), 0.044715) have eleven bits: 1e-3 of a logit near 1.</summary>
    [Fact]
    public void Run_WhenCanonical_GivesPyTorchsLogits()
    {
        var golden = GraphGolden.Open("t113_hf_op14_half.onnx");
        var model = Half;
        CanonicalForm.Apply(model);

        var logits = OnnxRun.Of(model, golden.Inputs("rightpad"))["logits"];

        Assert.DoesNotContain(model.Graph.Values, static v => v.Type is ElementType.Float16);
        Near.Within(golden.Outputs("rightpad")["logits"].ToFloat32(), logits.ToFloat32(), 5e-3, "logits");
    }

    /// <summary>Rounding weights once, by 2⁻¹¹ of each, moves the logits by some 1e-3 and the mean loss by far less.</summary>
    [Fact]
    public void Train_OnHalfPrecision_LowersTheLossAndMergesIntoItAndIntoFloat32()
    {
        var rows = new[] { new Example([1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6]), new Example([7, 8, 9], [7, 8, 9]) };
        var peft = PeftModel.Create(Half, new LoraConfig { R = 4, TargetModules = ["c_attn", "c_fc"] });
        var arguments = Tiny.Arguments with { MaxSteps = 12, BatchSize = 2 };

        var steps = Tiny.Run(peft, arguments, new TokenDataset(rows));
        var (rounded, exact) = (peft.Merge(), peft.MergeAs(MergeForm.Float32).Model);

        Assert.True(steps[^1].Loss < 0.8 * steps[0].Loss, $"{steps[0].Loss} to {steps[^1].Loss}");
        using var beside = new Evaluator(peft.Model, Tiny.Arguments.Runtime);
        using var inHalf = new Evaluator(rounded, Tiny.Arguments.Runtime);
        using var inFloat = new Evaluator(exact, Tiny.Arguments.Runtime);
        var data = new TokenDataset(rows);
        Assert.Equal(beside.Evaluate(data).Loss, inHalf.Evaluate(data).Loss, 1e-3);
        Assert.Equal(beside.Evaluate(data).Loss, inFloat.Evaluate(data).Loss, 1e-5);
        Assert.Contains(rounded.Graph.Initializers, static v => v.Type is ElementType.Float16);
        Assert.DoesNotContain(rounded.Graph.Initializers, static v => v.Type is ElementType.Float);
        Assert.DoesNotContain(exact.Graph.Initializers, static v => v.Type is ElementType.Float16);
    }
}
