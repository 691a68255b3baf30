using System.Text.Json;
using OrtPeft.Adapters;
using OrtPeft.Adapters.Lora;
using OrtPeft.Artifacts;
using OrtPeft.Models;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;
using OrtPeft.Testing;
using OrtPeft.Training.Data;

namespace OrtPeft.Training.Tests.Runs;

public sealed class ResumeTests
{
    /// <summary>What a resumed run changes, and the name of the setting that the message must have.</summary>
    public static TheoryData<string> Settings => [.. Changes.Keys];

    private static Dictionary<string, Func<TrainingArguments, TrainingArguments>> Changes => new()
    {
        ["batch-size"] = static a => a with { BatchSize = 2 },
        ["grad-accum"] = static a => a with { GradientAccumulation = 2 },
        ["steps"] = static a => a with { MaxSteps = 1 },
        ["lr"] = static a => a with { LearningRate = 2e-2 },
        ["schedule"] = static a => a with { Schedule = "cosine" },
        ["warmup-steps"] = static a => a with { WarmupSteps = 1 },
        ["weight-decay"] = static a => a with { Optimizer = new AdamWConfig { WeightDecay = 0 } },
        ["max-grad-norm"] = static a => a with { Optimizer = new AdamWConfig { MaxGradNorm = 2 } },
        ["seed"] = static a => a with { Seed = 9 },
        ["shuffle"] = static a => a with { Shuffle = true },
    };

    [Theory]
    [InlineData(0, ProductPrecision.Float32)]
    [InlineData(0.1, ProductPrecision.Float32)]
    [InlineData(0.1, ProductPrecision.Bf16)]
    public void Train_WhenCancelledAndResumed_EndsWithTheSameBits(double dropout, string precision)
    {
        using var folder = new TemporaryFolder();
        using var uninterrupted = new TemporaryFolder();
        var arguments = Tiny.Arguments with { Shuffle = true, EvaluationSteps = 2, Precision = precision };
        if (precision == ProductPrecision.Bf16)
            arguments = arguments with { Runtime = arguments.Runtime with { Prepacking = true } };
        var expected = Tiny.Lora(dropout);
        Train(expected, arguments with { OutputFolder = uninterrupted.Path });
        using var stop = new CancellationTokenSource();

        arguments = arguments with { OutputFolder = folder.Path };
        var part = Train(Tiny.Lora(dropout), arguments, p => CancelAt(p, 4, stop), stop.Token);
        var resumed = Tiny.Lora(dropout, seed: 77);
        var rest = Train(resumed, arguments with { Resume = true });

        Assert.Equal((4, false), (part.Steps, part.IsComplete));
        Assert.Equal((6, true), (rest.Steps, rest.IsComplete));
        Assert.Equal(Tiny.Numbers(expected), Tiny.Numbers(resumed));
        Assert.Equal(Rows(uninterrupted), Rows(folder));
    }

    /// <summary>The kernels round differently, and the faster one on the next day is another one.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Train_WhenResumed_MultipliesAsItsFirstPart(bool isOwn)
    {
        using var folder = new TemporaryFolder();
        var arguments = Tiny.Arguments with { Runtime = new RuntimeOptions { Threads = 1, Prepacking = true } };
        TrainingArguments With(bool own) =>
            arguments with { Runtime = arguments.Runtime with { OwnProducts = own }, OutputFolder = folder.Path };
        var (expected, other) = (Tiny.Lora(), Tiny.Lora());
        Train(other, With(!isOwn));
        Train(expected, With(isOwn));
        using var stop = new CancellationTokenSource();

        Train(Tiny.Lora(), With(isOwn), p => CancelAt(p, 3, stop), stop.Token);
        var resumed = Tiny.Lora();
        Train(resumed, arguments with { OutputFolder = folder.Path, Resume = true });

        Assert.Equal(Tiny.Numbers(expected), Tiny.Numbers(resumed));
        Assert.NotEqual(Tiny.Numbers(other), Tiny.Numbers(resumed));
    }

    /// <summary>At a constant rate a longer run takes the steps of a shorter one first.</summary>
    [Fact]
    public void Train_WhenResumedToBeLonger_EndsAsTheLongerRun()
    {
        using var folder = new TemporaryFolder();
        using var whole = new TemporaryFolder();
        var arguments = Tiny.Arguments with { Shuffle = true, Schedule = "constant", KeepBest = false };
        var (expected, resumed) = (Tiny.Lora(0.1), Tiny.Lora(0.1));
        Train(expected, arguments with { OutputFolder = whole.Path, MaxSteps = 8 });
        Train(Tiny.Lora(0.1), arguments with { OutputFolder = folder.Path, MaxSteps = 4 });

        using var trainer = new Trainer(
            resumed, arguments with { OutputFolder = folder.Path, MaxSteps = 8, Resume = true }, Tiny.Data, Tiny.Data);
        var result = trainer.Train();

        Assert.Equal((8, true), (result.Steps, result.IsComplete));
        Assert.Equal(4, trainer.ExtendedFrom);
        Assert.Equal(Tiny.Numbers(expected), Tiny.Numbers(resumed));
    }

    [Fact]
    public void Train_WhenItDiedAfterTheCheckpoint_RepeatsTheLostStep()
    {
        using var folder = new TemporaryFolder();
        using var uninterrupted = new TemporaryFolder();
        var arguments = Tiny.Arguments with { CheckpointSteps = 2 };
        var expected = Tiny.Lora();
        Train(expected, arguments with { OutputFolder = uninterrupted.Path });

        Assert.Throws<IOException>(() => Train(Tiny.Lora(), arguments with { OutputFolder = folder.Path }, DieAtThree));
        var resumed = Tiny.Lora();
        Train(resumed, arguments with { OutputFolder = folder.Path, Resume = true });

        Assert.Equal(Tiny.Numbers(expected), Tiny.Numbers(resumed));
        Assert.Equal(Rows(uninterrupted), Rows(folder));
    }

    [Theory]
    [MemberData(nameof(Settings))]
    public void Train_WhenResumedWithAnotherSetting_NamesIt(string setting)
    {
        using var folder = new TemporaryFolder();
        var arguments = Tiny.Arguments with { OutputFolder = folder.Path, MaxSteps = 2 };
        Train(Tiny.Lora(), arguments);

        var error = Assert.Throws<SettingException>(
            () => Train(Tiny.Lora(), Changes[setting](arguments) with { Resume = true }));

        Assert.Contains($"with {setting} = ", error.Message, StringComparison.Ordinal);
        Assert.Contains(folder[Trainer.CheckpointFile], error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_WhenResumedWithAnotherAdapter_NamesTheField()
    {
        using var folder = new TemporaryFolder();
        var arguments = Tiny.Arguments with { OutputFolder = folder.Path, MaxSteps = 1 };
        Train(Tiny.Lora(), arguments);
        var config = (LoraConfig)Tiny.Lora().Config;

        string MessageFor(LoraConfig other) => Assert.Throws<SettingException>(
            () => Train(PeftModel.Create(Tiny.Base, other), arguments with { Resume = true })).Message;

        Assert.Contains("lora_alpha = 8, this", MessageFor(config with { LoraAlpha = 16 }), StringComparison.Ordinal);
        Assert.Contains("lora_dropout = 0, ", MessageFor(config with { LoraDropout = 0.1 }), StringComparison.Ordinal);
        Assert.Contains("r = 4, this run has 2", MessageFor(config with { R = 2 }), StringComparison.Ordinal);
    }

    [Fact]
    public void Train_WhenResumedWithOtherData_SaysSo()
    {
        using var folder = new TemporaryFolder();
        var arguments = Tiny.Arguments with { OutputFolder = folder.Path, MaxSteps = 1 };
        Train(Tiny.Lora(), arguments);
        var row = Tiny.Rows[11];
        var masked = new Example(row.InputIds, row.Labels, [.. row.AttentionMask!.Value.Select(static m => 1 - m)]);
        var other = new TokenDataset([.. Tiny.Rows.Take(11), masked]);

        var error = Assert.Throws<SettingException>(
            () => Tiny.Run(Tiny.Lora(), arguments with { Resume = true }, other));

        Assert.Contains("with data = ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_WhenResumedOnAnotherBase_SaysSo()
    {
        using var folder = new TemporaryFolder();
        var arguments = Tiny.Arguments with { OutputFolder = folder.Path };
        Tiny.Run(Tiny.Lora(), arguments with { MaxSteps = 6 });
        var other = Tiny.Base.Clone();
        var weight = other.Graph.Initializers.Last(static v => v.Type == ElementType.Float);
        var numbers = weight.Initializer!.ToFloat32();
        numbers[^1] += 1e-6f;
        other.Graph.SetInitializer(weight, Tensor.Of<float>(numbers, [.. weight.Initializer.Dims]));

        var error = Assert.Throws<SettingException>(
            () => Tiny.Run(Tiny.Lora(other), arguments with { Resume = true }));

        Assert.Contains("another base", error.Message, StringComparison.Ordinal);
        Assert.Contains("checkpoint.safetensors", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_WhenResumedFromAnotherAdapter_SaysSo_AndGoesOnFromTheSame()
    {
        using var folder = new TemporaryFolder();
        var arguments = Tiny.Arguments with { OutputFolder = folder.Path };
        var (first, second) = (Tiny.Lora(seed: 5), Tiny.Lora(seed: 6));
        PeftModel From(PeftModel start) => PeftModel.Create(Tiny.Base, start.Config, start.GetWeights(), "weights");
        var start = first.GetWeights().ToDictionary();
        Tiny.Run(From(first), arguments);

        string Refusal(PeftModel model) => Assert.Throws<SettingException>(
            () => Tiny.Run(model, arguments with { Resume = true })).Message;

        Assert.Contains("another adapter", Refusal(From(second)), StringComparison.Ordinal);
        Assert.Contains("another adapter", Refusal(Tiny.Lora()), StringComparison.Ordinal);
        Assert.Empty(Tiny.Run(From(first), arguments with { Resume = true }));
    }

    public static TheoryData<string> Writes => ["longer", "shorter", "same length", "replaced"];

    [Theory]
    [MemberData(nameof(Writes))]
    public void Train_WhenItsBaseIsWrittenTo_SavesNothingMore(string how)
    {
        using var folder = new TemporaryFolder();
        using var place = new TemporaryFolder();
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Fixtures.Folder, "base", "g2l")))
            File.Copy(file, place[Path.GetFileName(file)]);
        var weights = place["model.safetensors"];
        var saved = "";

        var error = Assert.Throws<TrainingFailedException>(() => Train(
            Tiny.Lora(ModelSource.Open(place.Path).Model),
            Tiny.Arguments with { OutputFolder = folder.Path, CheckpointSteps = 1 },
            progress =>
            {
                if (progress.Step == 2)
                    (saved, _) = (Convert.ToHexString(File.ReadAllBytes(folder["checkpoint.safetensors"])), Write());
            }));

        Assert.Contains(weights, error.Message, StringComparison.Ordinal);
        Assert.Contains(folder["checkpoint.safetensors"], error.Message, StringComparison.Ordinal);
        Assert.Equal(saved, Convert.ToHexString(File.ReadAllBytes(folder["checkpoint.safetensors"])));

        bool Write()
        {
            var bytes = File.ReadAllBytes(weights);
            if (how == "replaced")
                File.Delete(weights);
            using var file = new FileStream(weights, FileMode.OpenOrCreate, FileAccess.Write);
            if (how == "replaced")
                file.Write(bytes);
            else if (how == "longer")
                file.SetLength(bytes.Length + 1);
            else if (how == "shorter")
                file.SetLength(bytes.Length - 1);
            else
                file.Write(bytes.AsSpan(0, 1));
            return true;
        }
    }

    [Fact]
    public void Train_WhenThereIsNothingToResume_SaysSo()
    {
        using var folder = new TemporaryFolder();

        var error = Assert.Throws<TrainingFailedException>(
            () => Train(Tiny.Lora(), Tiny.Arguments with { OutputFolder = folder.Path, Resume = true }));

        Assert.Contains(folder[Trainer.CheckpointFile], error.Message, StringComparison.Ordinal);
    }

    private static TrainingResult Train(
        PeftModel model,
        TrainingArguments arguments,
        Action<TrainingProgress>? observe = null,
        CancellationToken cancellation = default)
    {
        using var trainer = new Trainer(model, arguments, Tiny.Data, Tiny.Data);
        return trainer.Train(new Tiny.Observer(observe ?? (static _ => { })), cancellation);
    }

    private static void CancelAt(TrainingProgress progress, int step, CancellationTokenSource source)
    {
        if (progress.Step == step)
            source.Cancel();
    }

    private static void DieAtThree(TrainingProgress progress)
    {
        if (progress.Step == 3)
            throw new IOException("The machine is switched off.");
    }

    /// <summary>The log without the times.</summary>
    private static string[] Rows(TemporaryFolder folder) =>
        [.. File.ReadLines(folder["metrics.jsonl"]).Select(WithoutTimes)];

    private static string WithoutTimes(string line)
    {
        using var row = JsonDocument.Parse(line);
        var fields = row.RootElement.EnumerateObject()
            .Where(static f => !f.Name.Contains("second", StringComparison.Ordinal));
        return string.Join(' ', fields.Select(static f => f.ToString()));
    }
}
