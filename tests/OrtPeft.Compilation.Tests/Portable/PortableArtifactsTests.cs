using Microsoft.ML.OnnxRuntime;
using OrtPeft.Adapters;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.PTuning;
using OrtPeft.Adapters.PrefixTuning;
using OrtPeft.Adapters.Tests;
using OrtPeft.Adapters.Vera;
using OrtPeft.Artifacts;
using OrtPeft.Compilation.Artifacts;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Compilation.Portable;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;
using OrtPeft.Testing;

namespace OrtPeft.Compilation.Tests.Portable;

/// <summary>Portable folders: plain ONNX Runtime finds all it needs in them, by the manifest alone.</summary>
public sealed class PortableArtifactsTests : IDisposable
{
    private static readonly LoraConfig CAttn = new() { R = 4, TargetModules = ["c_attn"], InitLoraWeights = false };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, bool> Forms
    {
        get
        {
            var data = new TheoryData<string, bool>();
            foreach (var name in Gpt2.Names)
            {
                data.Add(name, true);
                data.Add(name, false);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Write_GivesModels_ThatComputeWhatTheGraphsInMemoryDo(string name, bool embed)
    {
        var peft = PeftModel.Create(Gpt2.Open(name), CAttn);
        var manifest = Write(peft, new ArtifactSettings { Frozen = embed ? FrozenWeights.Embed : FrozenWeights.File });
        var moved = Moved();
        var feeds = Feeds(peft);

        var training = Run(Path.Combine(moved, manifest.Training.File), feeds);
        var evaluation = Run(Path.Combine(moved, manifest.Evaluation!.File), feeds);

        var expected = OnnxRun.Of(TrainingGraph.Build(peft, new CausalLm()).Model, feeds);
        var sum = manifest.Training.Output(ValueRoles.LossSum)!.Name;
        Assert.Equal(expected[TrainingGraph.LossSum].ToFloat32(), training[sum].ToFloat32());
        // The evaluation graph is optimised on its own: rounding only.
        Near.Relative(training[sum], evaluation[sum], 1e-6, sum);
        foreach (var parameter in manifest.Parameters)
        {
            var gradient = training[parameter.Gradient!].ToFloat32();
            Assert.Equal(expected[TrainingGraph.GradientOf(parameter.Name)].ToFloat32(), gradient);
        }
    }

    [Fact]
    public void Write_WithAWeightsFile_HoldsEveryWeightOnce()
    {
        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), CAttn);

        var manifest = Write(peft, new ArtifactSettings { Frozen = FrozenWeights.File });

        Assert.Equal([ArtifactFiles.FrozenWeights], manifest.Files.ExternalData);
        var frozen = EvaluationGraph.Build(peft, new CausalLm()).Graph.Initializers
            .Select(static v => v.Initializer!.Data.Length).Where(static bytes => bytes >= 1024).ToArray();
        // Each begins on a page of 4096 bytes.
        var pages = frozen.Sum(static bytes => (bytes + 4095) / 4096 * 4096);
        Assert.InRange(new FileInfo(_folder[ArtifactFiles.FrozenWeights]).Length, frozen.Sum(), pages);
        var (small, large) = (new FileInfo(_folder["eval_model.onnx"]).Length, frozen.Sum());
        Assert.True(small < large, $"{small} bytes beside {large}");
    }

    [Fact]
    public void Write_NamesWhatGoesInAndOut()
    {
        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Op13), CAttn with { LoraDropout = 0.1 });
        var options = new ArtifactSettings
        {
            LearningRateFactor = static p => p.Name.Contains("lora_B", StringComparison.Ordinal) ? 16 : 1,
        };

        var manifest = Write(peft, options);

        foreach (var graph in new[] { manifest.Training, manifest.Evaluation!, manifest.Optimizer })
        {
            using var session = new InferenceSession(_folder[graph.File]);
            Assert.Equal(session.InputNames.Order(), graph.Inputs.Select(static v => v.Name).Order());
            Assert.Equal(session.OutputNames, graph.Outputs.Select(static v => v.Name));
        }

        Assert.Equal(
            ["input_ids", "attention_mask", "position_ids", "labels"],
            manifest.Evaluation!.Inputs.Where(static v => v.Role == ValueRoles.Data).Select(static v => v.Name));
        Assert.NotNull(manifest.Training.Input(ValueRoles.DropoutSeed));
        Assert.NotNull(manifest.Optimizer.Input(ValueRoles.LearningRateFactors));
        Assert.Equal(16, manifest.Parameters[1].LearningRateFactor);
        Assert.Equal(manifest.ToJson(), ArtifactManifest.Load(_folder.Path).ToJson());
    }

    [Fact]
    public void Write_WithPredictions_GivesLogitsOfTheAdaptedModel()
    {
        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Op13), CAttn);

        var manifest = Write(peft, new ArtifactSettings { EvaluationPredictions = true });

        var logits = manifest.Evaluation!.Output(ValueRoles.Predictions)!.Name;
        var evaluation = Run(_folder[manifest.Evaluation.File], Feeds(peft));
        var expected = DecoderLogits.Of(peft.Model, TrainRun.Batch(0));
        // The evaluation graph is optimised on its own: rounding only.
        Near.Relative(expected, evaluation[logits], 1e-5, logits);
    }

    [Fact]
    public void Write_LeavesAnAdapterFolder()
    {
        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), new VeraConfig { R = 8, TargetModules = "all-linear" });

        Write(peft, new ArtifactSettings());

        var read = PeftModel.Load(Gpt2.Open(Gpt2.Imported), _folder.Path);
        foreach (var (name, tensor) in peft.GetWeights())
            Assert.Equal(tensor.ToFloat32(), read.GetWeights()[name].ToFloat32());
    }

    public static TheoryData<string> Encoders => ["mlp", "lstm", "projection", "mlp and modules", "projection and modules"];

    [Theory]
    [MemberData(nameof(Encoders))]
    public void Write_OfAnEncoder_HoldsWhatTrains_AndAModelForWhatIsSaved(string encoder)
    {
        PeftConfig config = encoder switch
        {
            "mlp" => new PTuningConfig { NumVirtualTokens = 4 },
            "lstm" => new PTuningConfig { NumVirtualTokens = 4, EncoderReparameterizationType = "LSTM" },
            "mlp and modules" => new PTuningConfig { NumVirtualTokens = 4, ModulesToSave = ["ln_f", "lm_head"] },
            "projection and modules" =>
                new PrefixTuningConfig { NumVirtualTokens = 4, PrefixProjection = true, ModulesToSave = ["lm_head"] },
            _ => new PrefixTuningConfig { NumVirtualTokens = 4, PrefixProjection = true },
        };
        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), config);

        var manifest = Write(peft, new ArtifactSettings());

        var weights = SafetensorsFile.Open(_folder[manifest.Files.Weights!]).Tensors;
        Assert.Equal(peft.Parameters.Select(static p => p.Name).Order(), weights.Keys.Order());
        var made = Made(manifest, weights);
        peft.Save(_folder["saved"]);
        var saved = SafetensorsFile.Open(_folder["saved/adapter_model.safetensors"]).Tensors;
        Assert.Equal(saved.Keys.Order(), made.Keys.Order());
        // Two implementations of the same small network in float32.
        foreach (var (name, tensor) in saved)
            Near.Relative(tensor, made[name], 1e-5, name);
    }

    public static TheoryData<string, string> Tied => new()
    {
        { Gpt2.Imported, "saved" }, { Gpt2.Op13, "saved" }, { Gpt2.Imported, "target" }, { Gpt2.Op13, "target" },
    };

    /// <summary>Files have a tied head's weights under its own names too, which must be those that were trained.</summary>
    [Theory]
    [MemberData(nameof(Tied))]
    public void Write_OfTiedWeights_HoldsAModelForWhatIsSaved(string graph, string how)
    {
        var config = new LoraConfig { R = 2, TargetModules = ["c_attn", "lm_head"], EnsureWeightTying = true };
        var peft = PeftModel.Create(
            Gpt2.Open(graph), how == "target" ? config : config with { TargetModules = ["c_attn"], ModulesToSave = ["lm_head", "ln_f"] });
        var manifest = Write(peft, new ArtifactSettings());
        var trained = peft.GetWeights().ToDictionary(
            static w => w.Key,
            static w => Tensor.Of<float>([.. w.Value.ToFloat32().Select(static v => v + 0.5f)], w.Value.Dims.AsSpan()));

        var made = Made(manifest, trained);

        peft.SetWeights(trained);
        peft.Save(_folder["saved"]);
        var saved = SafetensorsFile.Open(_folder["saved/adapter_model.safetensors"]).Tensors;
        Assert.Equal(saved.Keys.Order(), made.Keys.Order());
        Assert.All(saved, s => Assert.Equal(s.Value.ToFloat32(), made[s.Key].ToFloat32()));
        Assert.NotEqual(trained.Count, saved.Count);
    }

    [Fact]
    public void Write_OfSeveralActiveAdapters_IsRefused()
    {
        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), CAttn);
        peft.Adapters.Add("other", CAttn);
        peft.Adapters.Set("default", "other");

        var error = Assert.Throws<ConfigException>(() => Write(peft, new ArtifactSettings()));

        Assert.Contains("default, other", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("pissa_niter_2")]
    [InlineData("olora")] // HF PEFT decomposes GPT-2's weights the other way round
    public void Write_OfAStartThatFilesMustHold_IsRefused(string init)
    {
        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), CAttn with { InitLoraWeights = init });

        var error = Assert.Throws<ConfigException>(() => Write(peft, new ArtifactSettings()));

        Assert.Contains($"init_lora_weights is '{init}'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_OfWhatOnlyTheTrainingApiHas_IsRefused()
    {
        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), CAttn);

        var place = Assert.Throws<ConfigException>(
            () => Write(peft, new ArtifactSettings { Frozen = FrozenWeights.Checkpoint }));
        var rate = Assert.Throws<ConfigException>(
            () => Write(peft, new ArtifactSettings { FoldedLearningRate = 0.01 }));

        Assert.Contains("checkpoint", place.Message, StringComparison.Ordinal);
        Assert.Contains("learning rate", rate.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_OfAnOperatorThatNothingStandsInFor_IsRefused()
    {
        var error = Assert.Throws<ConfigException>(
            () => Write(PeftModel.Create(Gpt2.Open(Gpt2.Imported), CAttn), new ArtifactSettings { LackedOperators = ["Sign", "Erf"] }));

        Assert.Contains("'Erf', which nothing stands in for; choose from LogSoftmax, ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_OfAnAdapterWithAnotherWeightOfTheBase_IsRefused()
    {
        const string Name = "base_model.model.lm_head.base_layer.weight";
        var config = new LoraConfig { R = 2, TargetModules = ["lm_head"] };
        var weights = PeftModel.Create(Gpt2.Open(Gpt2.Imported), config).GetWeights().ToDictionary();
        weights[Name] = Tensor.Of<float>(new float[101 * 32], [101, 32]);
        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), config, weights, "file");

        var error = Assert.Throws<ConfigException>(() => Write(peft, new ArtifactSettings()));

        Assert.Contains($"'{Name}' takes the place of the base's", error.Message, StringComparison.Ordinal);
    }

    private ArtifactManifest Write(PeftModel peft, ArtifactSettings options) =>
        PortableArtifacts.Write(peft, new CausalLm(), options, _folder.Path);

    /// <summary>The folder after a move: nothing in it says where it was.</summary>
    private string Moved()
    {
        var target = _folder["moved"];
        Directory.CreateDirectory(target);
        foreach (var file in Directory.EnumerateFiles(_folder.Path))
            File.Move(file, Path.Combine(target, Path.GetFileName(file)));
        return target;
    }

    private static Dictionary<string, Tensor> Feeds(PeftModel peft)
    {
        var feeds = DecoderLogits.WithPositions(TrainRun.Batch(0));
        feeds[TrainingGraph.Scale] = Tensor.Scalar(0.125f);
        foreach (var (name, tensor) in peft.GetWeights())
            feeds[name] = tensor;
        return feeds;
    }

    /// <summary>What the folder's own model makes of the parameters, as its manifest says.</summary>
    private Dictionary<string, Tensor> Made(ArtifactManifest manifest, IReadOnlyDictionary<string, Tensor> parameters)
    {
        var saving = manifest.Saving!;
        return Run(_folder[saving.File], saving.Inputs.ToDictionary(static i => i.Name, i => parameters[i.Parameter!]));
    }

    private static Dictionary<string, Tensor> Run(string file, IReadOnlyDictionary<string, Tensor> feeds)
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1 };
        using var session = new InferenceSession(file, options);
        return OnnxRun.Of(session, feeds);
    }
}
