using System.Collections.Immutable;
using OrtPeft.Adapters;
using OrtPeft.Adapters.Lora;
using OrtPeft.Models;
using OrtPeft.Onnx;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;
using OrtPeft.Testing;
using OrtPeft.Training.Data;
using OrtPeft.Training.Metrics;

namespace OrtPeft.Training.Tests.Runs;

/// <summary>Small training runs on a GPT-2 of two layers, with the twelve rows that HF PEFT was run on.</summary>
internal static class Tiny
{
    /// <summary>Rows in order; the supervised tokens per row differ, and some rows are padded.</summary>
    public static IReadOnlyList<Example> Rows { get; } = [.. Enumerable.Range(0, 4).SelectMany(RowsOf)];

    public static TokenDataset Data { get; } = new(Rows);

    public static TrainingArguments Arguments { get; } = new()
    {
        BatchSize = 3,
        MaxSteps = 6,
        LearningRate = 1e-2,
        Shuffle = false,
        Runtime = new RuntimeOptions { Threads = 1, Prepacking = false },
    };

    public static Model Base => ModelSource.Open(Path.Combine(Fixtures.Folder, "base", "g2l")).Model;

    /// <summary>A GPT-2 of another width and depth.</summary>
    public static Model OtherBase =>
        ModelSource.Open(Path.Combine(Fixtures.Folder, "..", "..", "models", "tiny-gpt2-apidocs")).Model;

    public static PeftModel Lora(double dropout = 0, long seed = 0) => Lora(Base, dropout, seed);

    public static PeftModel Lora(Model onBase, double dropout = 0, long seed = 0)
    {
        var config = new LoraConfig { R = 4, TargetModules = ["c_attn"], InitLoraWeights = false };
        return PeftModel.Create(onBase, config with { LoraDropout = dropout }, seed);
    }

    /// <summary>Trains, and returns what every step reported.</summary>
    public static IReadOnlyList<StepMetrics> Run(PeftModel model, TrainingArguments arguments, IDataset? data = null)
    {
        var steps = new List<StepMetrics>();
        using var trainer = new Trainer(model, arguments, data ?? Data);
        trainer.Train(new Observer(p => steps.Add(p.Metrics)));
        return steps;
    }

    public static float[] Numbers(PeftModel model) =>
        [.. model.GetWeights().Values.SelectMany(static w => w.ToFloat32())];

    public static IEnumerable<Example> RowsOf(int batch)
    {
        var tensors = TrainRun.Batch(batch);
        return Enumerable.Range(0, 3).Select(row => new Example(
            Row(tensors["input_ids"], row), Row(tensors["labels"], row), Row(tensors["attention_mask"], row)));
    }

    private static ImmutableArray<int> Row(Tensor matrix, int row)
    {
        var columns = (int)matrix.Dims[1];
        return [.. matrix.ToInt64().AsSpan(row * columns, columns).ToArray().Select(static v => (int)v)];
    }

    /// <summary>Told of every step at once, on the same thread.</summary>
    internal sealed class Observer(Action<TrainingProgress> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value);
    }
}
