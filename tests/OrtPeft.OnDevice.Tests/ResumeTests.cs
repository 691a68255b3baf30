using OrtPeft.Artifacts;
using OrtPeft.Artifacts.OrtFormats;
using OrtPeft.OnDevice.Tests.Engine;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;
using OrtPeft.Testing;
using OrtPeft.Training;
using OrtPeft.Training.Tests.Runs;

namespace OrtPeft.OnDevice.Tests;

/// <summary>
/// Checkpoints with an optimizer's state and properties: the engine goes on where our trainer stopped.
/// </summary>
[Collection(EngineCollection.Name)]
public sealed class ResumeTests(EngineRun run)
{
    private const string Name = "resume";
    private const int Before = 10;
    private const int After = 6;

    private static TrainingArguments Arguments { get; } = Tiny.Arguments with
    {
        Schedule = "constant",
        Optimizer = new AdamWConfig { MaxGradNorm = 0 },
    };

    internal static IEnumerable<EngineJob> Jobs =>
    [
        new(Name, static () => Tiny.Lora(), Enumerable.Range(Before, After).Select(static i => EngineStep.Train(i % 4)))
        {
            Finish = static folder => Advance(Path.Combine(folder, OrtCheckpoint.FileName)),
        },
    ];

    /// <summary>Had the engine lost the moments or the step's number, the second loss would be far off.</summary>
    [EngineFact]
    public void TrainingSession_FromACheckpointWithMoments_GoesOnAsTheTrainer()
    {
        var whole = Tiny.Run(Tiny.Lora(), Arguments with { MaxSteps = Before + After });

        float[] expected = [.. whole.Skip(Before).Select(static s => (float)s.Loss)];
        float[] actual = [.. run[Name].Losses.Select(static l => (float)l)];
        Near.Within(expected, actual, 1e-4, "losses"); // what the golden runs allow two runtimes
    }

    /// <summary>Puts into a fresh checkpoint what our trainer has after some steps.</summary>
    private static void Advance(string path)
    {
        using var scratch = new TemporaryFolder();
        Tiny.Run(Tiny.Lora(), Arguments with { MaxSteps = Before, OutputFolder = scratch.Path });
        var state = SafetensorsFile.Open(scratch[Trainer.CheckpointFile]).Tensors;
        var fresh = OrtCheckpoint.Load(path);
        new OrtCheckpoint
        {
            Trainable = [.. fresh.Trainable.Select(t => Of(state, "parameter", t, t.Name))],
            Frozen = fresh.Frozen,
            OptimizerGroups =
            [
                new OrtOptimizerGroup
                {
                    Step = Before,
                    States = [.. fresh.Trainable.Select(t => new OrtParameterState
                    {
                        ParameterName = t.Name,
                        Momentums =
                        [
                            Of(state, "first_moment", t, "momentum0"),
                            Of(state, "second_moment", t, "momentum1"),
                        ],
                    })],
                },
            ],
            Properties = new OrtProperties
            {
                Integers = new Dictionary<string, long> { ["rows"] = 12 },
                Floats = new Dictionary<string, float> { ["best"] = 0.5f },
                Strings = new Dictionary<string, string> { ["who"] = "the trainer" },
            },
        }.Save(path);
    }

    private static Tensor Of(IReadOnlyDictionary<string, Tensor> state, string part, Tensor parameter, string name) =>
        state[$"{part}/{parameter.Name}"].WithName(name);
}
