using OrtPeft.Adapters;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Quantization;
using OrtPeft.Models;
using OrtPeft.Models.Initialization;
using OrtPeft.OnDevice.Tests.Engine;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Testing;
using OrtPeft.Training.Tests.Runs;

namespace OrtPeft.OnDevice.Tests;

/// <summary>Bases of other families, widths and exporters: the engine and the trainer go the same way.</summary>
[Collection(EngineCollection.Name)]
public sealed class OtherBaseTests(EngineRun run)
{
    private const int Steps = 6;

    private static readonly Dictionary<string, Func<Model>> Bases = new()
    {
        ["llama"] = static () => Fresh("tiny-llama"),
        ["qwen2"] = static () => Fresh("tiny-qwen2"),
        ["4 bits"] = static () => Quantized(new BlockFormat { Bits = 4 }),
        ["4 bits with zero points"] = static () => Quantized(new BlockFormat { IsSymmetric = false, BlockSize = 32 }),
        ["8 bits"] = static () => Quantized(new BlockFormat { Bits = 8 }),
        ["fused"] = static () => OnnxFile.Load(Fixtures.Graph("ortopt_extended_hf442_g2l_nopast_op13.onnx")),
        ["nanoGPT"] = static () => OnnxFile.Load(Fixtures.Graph("nanogpt_g2l_op13.onnx")),
    };

    public static TheoryData<string> Names => [.. Bases.Keys];

    internal static IEnumerable<EngineJob> Jobs => Bases.Keys.Select(static name =>
        new EngineJob(NameOf(name), () => Adapted(name), EngineStep.TrainSteps(Steps)));

    /// <summary>float32 on both sides, by two runtimes: 1e-4 is what the golden losses allow.</summary>
    [EngineTheory]
    [MemberData(nameof(Names))]
    public void TrainingSession_OnAnotherBase_FollowsTheTrainer(string name)
    {
        var steps = Tiny.Run(Adapted(name), Tiny.Arguments with
        {
            MaxSteps = Steps,
            Schedule = "constant",
            Optimizer = EngineJob.LikePyTorch.Optimizer,
        });

        var losses = run[NameOf(name)].Losses;

        float[] expected = [.. steps.Select(static s => (float)s.Loss)];
        Testing.Near.Within(expected, [.. losses.Select(static l => (float)l)], 1e-4, name);
    }

    internal static PeftModel Adapted(string name) => PeftModel.Create(
        Bases[name](), new LoraConfig { R = 4, TargetModules = "all-linear", InitLoraWeights = false }, seed: 3);

    private static Model Fresh(string preset)
    {
        var config = ModelPresets.Find(preset);
        return config.ToArchitecture().Build(ModelInitializer.CreateWeights(config, 3));
    }

    private static Model Quantized(BlockFormat format) => ModelQuantizer.Quantize(Tiny.Base, format).Model;

    private static string NameOf(string name) => $"base/{name}";
}
