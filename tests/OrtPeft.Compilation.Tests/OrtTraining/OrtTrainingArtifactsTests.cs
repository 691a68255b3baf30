using OrtPeft.Adapters;
using OrtPeft.Adapters.BitFit;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.PTuning;
using OrtPeft.Adapters.Quantization;
using OrtPeft.Adapters.Tests;
using OrtPeft.Adapters.Vera;
using OrtPeft.Artifacts;
using OrtPeft.Artifacts.OrtFormats;
using OrtPeft.Compilation.Artifacts;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Compilation.OrtTraining;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;
using OrtPeft.Testing;

namespace OrtPeft.Compilation.Tests.OrtTraining;

/// <summary>
/// The files as files; what ONNX Runtime's training engine makes of them is tested with the engine itself.
/// </summary>
public sealed class OrtTrainingArtifactsTests : IDisposable
{
    private static readonly LoraConfig CAttn = new() { R = 4, TargetModules = ["c_attn"], InitLoraWeights = false };

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<FrozenWeights> Places => [.. Enum.GetValues<FrozenWeights>()];

    public void Dispose() => _folder.Dispose();

    /// <summary>User inputs, what trains, what does not, buffers, the flag: the engine feeds by this order.</summary>
    [Theory]
    [MemberData(nameof(Places))]
    public void Write_PutsInputsInTheEnginesOrder(FrozenWeights frozen)
    {
        var peft = Lora();

        var manifest = Write(peft, new ArtifactSettings { Frozen = frozen });

        var checkpoint = Checkpoint();
        var names = peft.Parameters.Select(static p => p.Name).ToArray();
        string[] shared =
        [
            "input_ids", "attention_mask", "position_ids", "labels",
            .. names,
            .. checkpoint.Frozen.Select(static t => t.Name),
        ];
        string[] accumulation = [.. names.Select(static n => $"{n}_grad.accumulation.buffer"), "lazy_reset_grad"];
        Assert.Equal(shared.Concat(accumulation), Inputs(manifest.Training));
        Assert.Equal(shared, Inputs(manifest.Evaluation!));
        Assert.Equal(names, checkpoint.Trainable.Select(static t => t.Name));
        Assert.Equal(frozen == FrozenWeights.Checkpoint, checkpoint.Frozen.Count > 0);
        Assert.Equal(
            ["learning_rate", "step", "params", "gradients", "first_order_moments", "second_order_moments"],
            Inputs(manifest.Optimizer));
    }

    /// <summary>An input that is also an initializer would hide the checkpoint's value from the engine.</summary>
    [Theory]
    [MemberData(nameof(Places))]
    public void Write_GivesNoInputADefault(FrozenWeights frozen)
    {
        var manifest = Write(Lora(), new ArtifactSettings { Frozen = frozen });

        foreach (var file in new[] { manifest.Training.File, manifest.Evaluation!.File })
            Assert.All(OnnxFile.Load(_folder[file]).Graph.Inputs, static i => Assert.Null(i.Initializer));
    }

    [Theory]
    [MemberData(nameof(Places))]
    public void Write_HoldsTheBaseWhereItWasAskedTo(FrozenWeights frozen)
    {
        var weights = Lora().Model.Graph.Initializers.Where(static v => v.Initializer!.Data.Length >= 1024)
            .Sum(static v => v.Initializer!.Data.Length);

        var manifest = Write(Lora(), new ArtifactSettings { Frozen = frozen });

        string[] files =
            [OrtCheckpoint.FileName, "training_model.onnx", "eval_model.onnx", ArtifactFiles.FrozenWeights];
        var holders = files.Where(file => File.Exists(_folder[file]) && new FileInfo(_folder[file]).Length >= weights);
        Assert.Equal(
            frozen switch
            {
                FrozenWeights.Checkpoint => [OrtCheckpoint.FileName],
                FrozenWeights.Embed => ["training_model.onnx", "eval_model.onnx"],
                _ => [ArtifactFiles.FrozenWeights],
            },
            holders);
        Assert.Equal(
            frozen == FrozenWeights.File ? [ArtifactFiles.FrozenWeights] : [], manifest.Files.ExternalData);
        Assert.Equal(OrtCheckpoint.FileName, manifest.Files.Checkpoint);
    }

    [Fact]
    public void Write_DescribesItselfInTheManifest()
    {
        var manifest = Write(Lora(), new ArtifactSettings { FoldedLearningRate = 0.01 });

        Assert.Equal(manifest.ToJson(), ArtifactManifest.Load(_folder.Path).ToJson());
        Assert.Equal(ArtifactRuntimes.OrtTraining, manifest.Runtime);
        Assert.Equal(new LearningRateFolding(0.001, 0.01), manifest.FoldLr);
        Assert.Equal(ValueRoles.LossMean, manifest.Training.Outputs[0].Role);
        Assert.Equal("loss", manifest.Training.Outputs[0].Name);
        Assert.Equal(
            Lora().Parameters.Count,
            manifest.Training.Inputs.Count(static i => i.Role == ValueRoles.GradientBuffer));
        foreach (var graph in new[] { manifest.Training, manifest.Evaluation!, manifest.Optimizer })
        {
            var written = OnnxFile.Load(_folder[graph.File]).Graph;
            Assert.Equal(written.Inputs.Select(static i => i.Name), Inputs(graph));
            Assert.Equal(written.Outputs.Select(static o => o.Name), graph.Outputs.Select(static o => o.Name));
        }
    }

    /// <summary>So that a checkpoint holds all of the adapter, wherever the base is, and so does the folder for an app
    /// whose API does not give frozen parameters back.</summary>
    [Theory]
    [MemberData(nameof(Places))]
    public void Write_OfVera_HasItsProjectionsInTheCheckpointAndBesideIt(FrozenWeights frozen)
    {
        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), new VeraConfig { R = 8 });

        var manifest = Write(peft, new ArtifactSettings { Frozen = frozen });

        var held = Checkpoint().Frozen.ToDictionary(static t => t.Name);
        var beside = SafetensorsFile.Open(_folder[manifest.Files.Weights!]).Tensors;
        Assert.All(peft.Buffers, b => Assert.Equal(b.Value.Initializer!.ToFloat32(), held[b.Name].ToFloat32()));
        Assert.Equal(peft.Buffers.Select(static b => b.Name).Order(), beside.Keys.Order());
        Assert.All(beside, t => Assert.Equal(held[t.Key].ToFloat32(), t.Value.ToFloat32()));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(8)]
    public void Write_OfAQuantisedBase_PutsIntoTheCheckpointWhatItCanHold(int bits)
    {
        var quantized = ModelQuantizer.Quantize(Gpt2.Open(Gpt2.Imported), new BlockFormat { Bits = bits }).Model;

        Write(PeftModel.Create(quantized, CAttn), new ArtifactSettings());

        var types = Checkpoint().Frozen.Select(static t => t.Type).ToHashSet();
        Assert.Equal(bits == 8, types.Contains(ElementType.Int8));
        Assert.DoesNotContain(ElementType.Int4, types);
        var kept = OnnxFile.Load(_folder["eval_model.onnx"]).Graph.Initializers
            .Count(static v => v.Initializer!.Type == ElementType.Int4);
        Assert.Equal(bits == 4, kept > 0);
    }

    [Fact]
    public void Write_OfAnEncoder_AddsTheModelThatMakesWhatIsSaved()
    {
        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), new PTuningConfig { NumVirtualTokens = 3 });

        var manifest = Write(peft, new ArtifactSettings());

        Assert.Equal(["prompt_embeddings"], manifest.Saving!.Outputs.Select(static o => o.Name));
        Assert.True(File.Exists(_folder[manifest.Saving.File]));
    }

    [Fact]
    public void Write_OverAnEarlierSet_LeavesNothingOfIt()
    {
        Write(Lora(), new ArtifactSettings { Frozen = FrozenWeights.File });

        Write(Lora(), new ArtifactSettings());

        Assert.Equal(
            ["artifacts.json", "checkpoint", "eval_model.onnx", "optimizer_model.onnx", "training_model.onnx"],
            Directory.EnumerateFileSystemEntries(_folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Write_WhenItFails_LeavesTheFolderAsItWas()
    {
        Write(Lora(), new ArtifactSettings());
        var before = Content();
        var peft = Lora();
        peft.Parameters[0].Value.Graph!.SetInitializer(
            peft.Parameters[0].Value, WithoutValues());

        Assert.ThrowsAny<Exception>(() => Write(peft, new ArtifactSettings()));

        Assert.Equal(before, Content());
        Assert.Empty(Directory.EnumerateDirectories(_folder.Path));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Write_WhenTheFoldedRateIsNone_SaysSo(double rate)
    {
        var error = Assert.Throws<ConfigException>(
            () => Write(Lora(), new ArtifactSettings { FoldedLearningRate = rate }));

        Assert.Contains("must be above 0", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_ForAProvider_IsRefused()
    {
        ArtifactSettings[] all = [new() { MasksLabels = true }, new() { LackedOperators = ["Sign"] }];

        foreach (var settings in all)
        {
            var error = Assert.Throws<ConfigException>(() => Write(Lora(), settings));
            Assert.Contains("runtime 'ort'", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Write_WithRatesPerParameter_NamesLoraPlusAndTheWayOut()
    {
        var options = new ArtifactSettings
        {
            LearningRateFactor = static p => p.Name.Contains("lora_B", StringComparison.Ordinal) ? 16 : 1,
        };

        var error = Assert.Throws<ConfigException>(() => Write(Lora(), options));

        Assert.Contains("LoRA+", error.Message, StringComparison.Ordinal);
        Assert.Contains("runtime 'ort'", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.1, true)]
    [InlineData(0, false)]
    public void Write_WithDecayOfSomeParameters_NamesTheWayOut(double decay, bool isRefused)
    {
        var options = new ArtifactSettings
        {
            Optimizer = new AdamWConfig { WeightDecay = decay },
            IsExemptFromDecay = static p => p.Name.Contains("lora_B", StringComparison.Ordinal),
        };

        var error = Record.Exception(() => Write(Lora(), options));

        Assert.Equal(isRefused, error is ConfigException);
        Assert.Equal(isRefused, error?.Message.Contains("runtime 'ort'", StringComparison.Ordinal) ?? false);
    }

    [Fact]
    public void Write_WhenAnInputLooksLikeAGradient_SaysSo()
    {
        var model = Gpt2.Open(Gpt2.Imported);
        var mask = model.Graph.Inputs.Single(static i => i.Name == "attention_mask");
        model.Graph.Rename(mask, "seen_grad");

        var error = Assert.Throws<ConfigException>(
            () => Write(PeftModel.Create(model, CAttn), new ArtifactSettings()));

        Assert.Contains("'seen_grad'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_WhenDisabled_SaysSo()
    {
        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), new BitFitConfig());
        peft.Adapters.Disable();

        var error = Assert.Throws<ConfigException>(() => Write(peft, new ArtifactSettings()));

        Assert.Contains("Enable()", error.Message, StringComparison.Ordinal);
    }

    private static PeftModel Lora() => PeftModel.Create(Gpt2.Open(Gpt2.Imported), CAttn);

    /// <summary>A tensor that fails when its elements are written.</summary>
    private static Tensor WithoutValues() =>
        new(ElementType.Float, [4, 32], new AbsentTensorData(4 * 32 * sizeof(float)));

    private static IEnumerable<string> Inputs(ArtifactGraph graph) => graph.Inputs.Select(static i => i.Name);

    private ArtifactManifest Write(PeftModel peft, ArtifactSettings options) =>
        OrtTrainingArtifacts.Write(peft, new CausalLm(), options, _folder.Path);

    private OrtCheckpoint Checkpoint() => OrtCheckpoint.Load(_folder[OrtCheckpoint.FileName]);

    private string[] Content() =>
    [
        .. Directory.EnumerateFiles(_folder.Path).Order(StringComparer.Ordinal)
            .Select(static f => $"{Path.GetFileName(f)}: {Convert.ToHexString(File.ReadAllBytes(f))}"),
    ];
}
