using OrtPeft.Adapters;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.PTuning;
using OrtPeft.Adapters.Vera;
using OrtPeft.Artifacts;
using OrtPeft.Compilation.Artifacts;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Compilation.Portable;
using OrtPeft.Compilation.Rewrites;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;
using OrtPeft.Testing;
using OrtPeft.Training.Metrics;

namespace OrtPeft.Training.Tests.Runs;

/// <summary>Training from an artifact folder is training the model in memory.</summary>
public sealed class ArtifactRunTests : IDisposable
{
    private static readonly AdamWConfig Unclipped = new() { MaxGradNorm = 0 };

    /// <summary>Folders have standard operators alone; so has the model in memory, to give the same bits.</summary>
    private static readonly TrainingArguments Arguments = Tiny.Arguments with
    {
        WithoutSpeedups = [.. Speedups.All.Where(static s => s.UsesKernels).Select(static s => s.Name)],
    };

    private readonly TemporaryFolder _place = new();

    public void Dispose() => _place.Dispose();

    public static TheoryData<string> GoldenRuns =>
        ["lora_cattn", "lora_all_randB", "bitfit", "prompt", "ptuning", "prefix_proj"];

    [Theory]
    [MemberData(nameof(GoldenRuns))]
    public void Train_OnTheGoldenBatches_GivesHfPeftsLosses(string name)
    {
        var golden = TrainRun.Open(name);
        var config = name == "bitfit" ? new Adapters.BitFit.BitFitConfig() : null;
        Write(new GoldenRow(name, config).Open(Tiny.Base), new ArtifactSettings { Optimizer = Unclipped });

        var steps = Run(Arguments with { MaxSteps = 20, Schedule = "constant" });

        var expected = golden.Measured("const", "losses");
        Assert.Equal(20, steps.Count);
        // PyTorch's float64 against float32 over 20 steps, as in GoldenRunTests.
        foreach (var (wanted, found) in expected.Zip(steps))
            Assert.True(Math.Abs(wanted - found.Loss) <= 1e-4, $"step {found.Step}: {found.Loss}, expected {wanted}");
    }

    public static TheoryData<bool, int> Forms => new() { { true, 1 }, { false, 1 }, { false, 2 } };

    [Theory]
    [MemberData(nameof(Forms))]
    public void Train_FromAFolder_IsTheRunInMemory(bool embed, int accumulation)
    {
        var model = Tiny.Lora(dropout: 0.1);
        var arguments = Arguments with { GradientAccumulation = accumulation, BatchSize = 3 / accumulation };
        Write(model, new ArtifactSettings { Frozen = embed ? FrozenWeights.Embed : FrozenWeights.File });

        var fromFolder = Run(arguments, save: true);
        var inMemory = Tiny.Run(model, arguments);

        Assert.Equal(inMemory.Select(static s => s.Loss), fromFolder.Select(static s => s.Loss));
        Assert.Equal(inMemory.Select(static s => s.GradNorm), fromFolder.Select(static s => s.GradNorm));
        var saved = PeftModel.Load(Tiny.Base, _place["adapter"]);
        Assert.Equal(Tiny.Numbers(model), Tiny.Numbers(saved));
    }

    /// <summary>The folder's models get flat parameters where those stay on a device; the CPU's memory stands for one.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Train_OnADevice_EndsWithTheBitsOfTheHostsMemory(int accumulation)
    {
        Write(Tiny.Lora(dropout: 0.1), new ArtifactSettings());
        var arguments = Arguments with { GradientAccumulation = accumulation, BatchSize = 3 / accumulation };

        var expected = Run(arguments, save: true);
        var weights = Tiny.Numbers(PeftModel.Load(Tiny.Base, _place["adapter"]));
        var actual = Run(arguments with { Runtime = arguments.Runtime with { DeviceMemory = "Cpu" } }, save: true);

        Assert.Equal(expected.Select(static s => s.GradNorm), actual.Select(static s => s.GradNorm));
        Assert.Equal(weights, Tiny.Numbers(PeftModel.Load(Tiny.Base, _place["adapter"])));
    }

    [Fact]
    public void Train_WithLoraPlus_TakesTheFactorsFromTheFolder()
    {
        var model = Tiny.Lora();
        var plus = Arguments with { LoraPlusRatio = 16 };
        Write(model, new ArtifactSettings { LearningRateFactor = plus.LearningRateFactorOf });

        var fromFolder = Run(Arguments);

        Assert.Equal(Tiny.Run(model, plus).Select(static s => s.Loss), fromFolder.Select(static s => s.Loss));
    }

    [Fact]
    public void Train_WithoutDecayOfBiasesAndNorms_TakesThemFromTheFolder()
    {
        var config = new LoraConfig { R = 2, TargetModules = ["c_attn"], Bias = "all", ModulesToSave = ["ln_f"] };
        var model = PeftModel.Create(Tiny.Base, config);
        var optimizer = new AdamWConfig { WeightDecay = 0.5 };
        var exempt = Arguments with { Optimizer = optimizer, DecayBiasesAndNorms = false };
        Write(model, new ArtifactSettings { Optimizer = optimizer, IsExemptFromDecay = exempt.IsExemptFromDecay });

        var (told, untold) = (Run(exempt), Run(Arguments));

        var inMemory = Tiny.Run(PeftModel.Create(Tiny.Base, config), exempt).Select(static s => s.Loss).ToArray();
        Assert.Equal(inMemory, told.Select(static s => s.Loss));
        Assert.Equal(inMemory, untold.Select(static s => s.Loss));
        var decayed = Tiny.Run(model, exempt with { DecayBiasesAndNorms = true });
        Assert.NotEqual(inMemory, decayed.Select(static s => s.Loss));
    }

    [Fact]
    public void FromArtifacts_WithARateForEmbeddings_SendsToTheModel()
    {
        Write(Tiny.Lora(), new ArtifactSettings());

        var error = Assert.ThrowsAny<ArgumentException>(() => Open(Arguments with { LoraPlusEmbeddingRate = 1e-6 }));

        Assert.Contains("train from the model itself", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void SaveAdapter_OfAnEncoder_WritesWhatHfPeftsFilesHold()
    {
        var model = PeftModel.Create(Tiny.Base, new PTuningConfig { NumVirtualTokens = 4 });
        Write(model, new ArtifactSettings());

        Run(Arguments, save: true);
        Tiny.Run(model, Arguments);
        model.Save(_place["memory"]);

        var (expected, actual) = (Weights("memory"), Weights("adapter"));
        Assert.Equal(["prompt_embeddings"], actual.Keys);
        // The encoder runs in ONNX Runtime here and in C# there, both in float32.
        Near.Relative(expected["prompt_embeddings"], actual["prompt_embeddings"], 1e-5, "prompt_embeddings");
    }

    [Fact]
    public void SaveAdapter_KeepsWhatDoesNotTrain()
    {
        var model = PeftModel.Create(Tiny.Base, new VeraConfig { R = 8 });
        Write(model, new ArtifactSettings());

        Run(Arguments, save: true);
        Tiny.Run(model, Arguments);
        model.Save(_place["memory"]);

        var (expected, actual) = (Weights("memory"), Weights("adapter"));
        Assert.Equal(expected.Keys.Order(), actual.Keys.Order());
        Assert.All(expected, w => Assert.Equal(w.Value.ToFloat32(), actual[w.Key].ToFloat32()));
    }

    [Fact]
    public void Train_InterruptedAndResumed_IsOneRun_AndARunInMemoryGoesOnFromIt()
    {
        var model = Tiny.Lora(dropout: 0.1);
        Write(model, new ArtifactSettings());
        var whole = Run(Arguments);
        var arguments = Arguments with { OutputFolder = _place["run"] };
        using (var stop = new CancellationTokenSource())
        {
            using var trainer = Trainer.FromArtifacts(_place["artifacts"], arguments, Tiny.Data);
            trainer.Train(new Tiny.Observer(p => Stop(stop, p.Step)), stop.Token);
        }

        Directory.CreateDirectory(_place["copy"]);
        foreach (var file in Directory.EnumerateFiles(_place["run"]))
            File.Copy(file, Path.Combine(_place["copy"], Path.GetFileName(file)));
        var rest = Run(arguments with { Resume = true });
        var inMemory = Tiny.Run(model, arguments with { Resume = true, OutputFolder = _place["copy"] });

        Assert.Equal(whole.Skip(3).Select(static s => s.Loss), rest.Select(static s => s.Loss));
        Assert.Equal(rest.Select(static s => s.Loss), inMemory.Select(static s => s.Loss));

        static void Stop(CancellationTokenSource source, int step)
        {
            if (step == 3)
                source.Cancel();
        }
    }

    [Fact]
    public void Evaluate_FromAFolder_IsTheEvaluationInMemory()
    {
        var model = Tiny.Lora(dropout: 0.1);
        Write(model, new ArtifactSettings());
        using var fromFolder = Trainer.FromArtifacts(_place["artifacts"], Arguments, Tiny.Data, Tiny.Data);
        using var inMemory = new Trainer(model, Arguments, Tiny.Data, Tiny.Data);

        Assert.Equal(inMemory.Evaluate()!.Loss, fromFolder.Evaluate()!.Loss);
    }

    public static TheoryData<string> Fixed => ["optimiser", "dropout", "LoRA+"];

    [Theory]
    [MemberData(nameof(Fixed))]
    public void FromArtifacts_WhenAnArgumentIsPartOfTheModels_SaysSo(string what)
    {
        Write(Tiny.Lora(), new ArtifactSettings());
        var arguments = what switch
        {
            "optimiser" => Arguments with { Optimizer = Unclipped },
            "dropout" => Arguments with { BaseDropout = false },
            _ => Arguments with { LoraPlusRatio = 2 },
        };

        var error = Assert.ThrowsAny<ArgumentException>(() => Open(arguments));

        Assert.Contains(what, error.Message, StringComparison.Ordinal);
        Assert.Contains("ortpeft artifacts", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FromArtifacts_ForTheTrainingApi_WithoutIt_NamesThePackageAndTheOtherRuntime()
    {
        var manifest = Write(Tiny.Lora(), new ArtifactSettings());
        var training = manifest with
        {
            Runtime = ArtifactRuntimes.OrtTraining,
            Files = manifest.Files with { Checkpoint = "checkpoint" },
        };
        File.WriteAllBytes(_place["artifacts/checkpoint"], []);
        training.Save(_place["artifacts"]);

        var error = Assert.Throws<TrainingRuntimeException>(() => Open(Arguments));

        Assert.Contains("Microsoft.ML.OnnxRuntime.Training 1.19.2", error.Message, StringComparison.Ordinal);
        Assert.Contains("for the runtime ort,", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("training_model.onnx")]
    [InlineData("frozen_weights.bin")]
    [InlineData("adapter_model.safetensors")]
    [InlineData("artifacts.json")]
    public void FromArtifacts_WithAFileMissing_NamesIt(string file)
    {
        Write(Tiny.Lora(), new ArtifactSettings { Frozen = FrozenWeights.File });
        File.Delete(Path.Combine(_place["artifacts"], file));

        var error = Assert.Throws<OnnxFormatException>(() => Open(Arguments));

        Assert.Contains(file, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("training_model.onnx")]
    [InlineData("adapter_model.safetensors")]
    public void FromArtifacts_WithAFileCutOff_NamesIt(string file)
    {
        Write(Tiny.Lora(), new ArtifactSettings());
        var path = Path.Combine(_place["artifacts"], file);
        File.WriteAllBytes(path, File.ReadAllBytes(path)[..1000]);

        var error = Assert.Throws<OnnxFormatException>(() => Open(Arguments));

        Assert.Contains(file, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FromArtifacts_OfAnUnknownRuntime_NamesIt()
    {
        (Write(Tiny.Lora(), new ArtifactSettings()) with { Runtime = "abacus" }).Save(_place["artifacts"]);

        var error = Assert.Throws<OnnxFormatException>(() => Open(Arguments));

        Assert.Contains("'abacus'", error.Message, StringComparison.Ordinal);
    }

    private ArtifactManifest Write(PeftModel model, ArtifactSettings options) =>
        PortableArtifacts.Write(model, new CausalLm(), options, _place["artifacts"]);

    private void Open(TrainingArguments arguments) =>
        Trainer.FromArtifacts(_place["artifacts"], arguments, Tiny.Data).Dispose();

    private List<StepMetrics> Run(TrainingArguments arguments, bool save = false)
    {
        var steps = new List<StepMetrics>();
        using var trainer = Trainer.FromArtifacts(_place["artifacts"], arguments, Tiny.Data);
        trainer.Train(new Tiny.Observer(p => steps.Add(p.Metrics)));
        if (save)
            trainer.SaveAdapter(_place["adapter"]);
        return steps;
    }

    private IReadOnlyDictionary<string, Tensor> Weights(string folder) =>
        SafetensorsFile.Open(Path.Combine(_place[folder], AdapterFiles.Weights)).Tensors;
}
