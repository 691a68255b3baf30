using OrtPeft.Adapters;
using OrtPeft.Adapters.Lora;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;
using OrtPeft.Testing;
using OrtPeft.Training.Data;

namespace OrtPeft.Training.Tests.Runs;

/// <summary>
/// Dropout that a graph exported in training mode brings: live in training by default, never in evaluation.
/// </summary>
public sealed class BaseDropoutTests
{
    private const double Ratio = 0.1;

    private static readonly TrainingArguments Still = Tiny.Arguments with { LearningRate = 0, MaxSteps = 8 };

    private static Model Base => OnnxFile.Load(Fixtures.Graph("hf442_g2l_trainmode_op14.onnx"));

    /// <summary>Nothing is learned, and batches come around after four steps: only the masks can differ.</summary>
    [Fact]
    public void Train_ByDefault_DrawsAnotherMaskEachStep()
    {
        var model = PeftModel.Create(Base, new LoraConfig { R = 4, TargetModules = ["c_attn"] });
        var golden = TrainRun.Open("lora_cattn").Measured("const", "losses");

        var losses = Tiny.Run(model, Still).Select(static s => s.Loss).ToArray();

        for (var step = 0; step < 4; step++)
            Assert.True(Math.Abs(losses[step] - losses[step + 4]) > 1e-4, $"step {step + 1}: {losses[step]}");
        Assert.True(Math.Abs(losses[0] - golden[0]) > 1e-4);
        Assert.Equal(golden[0], losses[0], 0.5);
    }

    [Fact]
    public void Train_WithBaseDropoutOff_KeepsTheAdaptersOwn()
    {
        var config = new LoraConfig { R = 4, TargetModules = ["c_attn"], InitLoraWeights = false };
        var arguments = Still with { BaseDropout = false };

        var without = Tiny.Run(PeftModel.Create(Base, config), arguments).Select(static s => s.Loss).ToArray();
        var adapters = Tiny.Run(PeftModel.Create(Base, config with { LoraDropout = 0.5 }), arguments)
            .Select(static s => s.Loss).ToArray();

        Assert.Equal(without[..4], without[4..]);
        Assert.All(Enumerable.Range(0, 4), s => Assert.True(Math.Abs(adapters[s] - adapters[s + 4]) > 1e-6));
    }

    [Fact]
    public void Evaluate_OnAGraphWithDropout_IsWithoutIt()
    {
        var golden = TrainRun.Open("lora_cattn").Measured("const", "losses");
        var model = PeftModel.Create(Base, new LoraConfig { R = 4, TargetModules = ["c_attn"] });
        using var trainer = new Trainer(model, Still, Tiny.Data, new TokenDataset([.. Tiny.RowsOf(0)]));

        var loss = trainer.Evaluate()!.Loss;

        Assert.Equal(golden[0], loss, 1e-5);
    }

    /// <summary>
    /// The embedding's dropout over 40 masks of 1,056 numbers: the share that is dropped is within five standard
    /// deviations of 0.1, and what is kept is divided by 0.9.
    /// </summary>
    [Fact]
    public void ForTraining_OfALiveDropout_DropsAShareAndScalesTheRest()
    {
        var (graph, before, after) = FirstDropout();
        using var session = ModelSession.Open(graph, new RuntimeOptions { Threads = 1 });
        var batch = TrainRun.Batch(0);
        var (dropped, all, masks) = (0, 0, new HashSet<string>());

        for (var seed = 0L; seed < 40; seed++)
        {
            batch[SeededBits.SeedInput] = Tensor.Scalar(seed);
            var outputs = OnnxRun.Of(session, Feeds.Of(graph.Graph, batch));
            var pairs = outputs[before].ToFloat32().Zip(outputs[after].ToFloat32()).ToArray();
            Assert.All(pairs, static p => Assert.True(p.Second == 0 || Math.Abs(p.Second - (p.First / 0.9f)) < 1e-5f));
            dropped += pairs.Count(static p => p.Second == 0);
            all += pairs.Length;
            masks.Add(string.Concat(pairs.Select(static p => p.Second == 0 ? '0' : '1')));
        }

        var deviation = Math.Sqrt(Ratio * (1 - Ratio) / all);
        Assert.Equal(40 * 1056, all);
        Assert.InRange((double)dropped / all, Ratio - (5 * deviation), Ratio + (5 * deviation));
        Assert.Equal(40, masks.Count);
    }

    private static (Model Model, string Before, string After) FirstDropout()
    {
        var model = Base;
        CanonicalForm.Apply(model);
        var dropout = model.Graph.Nodes.First(static n => n.Is("Dropout"));
        foreach (var output in model.Graph.Outputs.ToArray())
            model.Graph.RemoveOutput(output);
        model.Graph.AddOutput(dropout.Inputs[0]!);
        model.Graph.AddOutput(dropout.Output);
        var names = (dropout.Inputs[0]!.Name, dropout.Output.Name);
        model.Graph.RemoveDeadCode();
        var shapes = new ShapeInference(model.Opset);
        shapes.Infer(model.Graph);
        DropoutLowering.ForTraining(model, shapes);
        return (model, names.Item1, names.Item2);
    }
}
