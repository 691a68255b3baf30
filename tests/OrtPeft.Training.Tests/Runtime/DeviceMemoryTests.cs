using OrtPeft.Adapters;
using OrtPeft.Adapters.Full;
using OrtPeft.Adapters.Ia3;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.PrefixTuning;
using OrtPeft.Artifacts;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Compilation.Portable;
using OrtPeft.Testing;
using OrtPeft.Training.Runtime;
using OrtPeft.Training.Runtime.Memory;
using OrtPeft.Training.Tests.Distributed;
using OrtPeft.Training.Tests.Runs;

namespace OrtPeft.Training.Tests.Runtime;

/// <summary>
/// Parameters, gradients and states that stay on a device train to the same bits as in the machine's memory. The device is the
/// CPU here, whose memory is bound as a device's would be; OrtPeft.WebGpu.Tests has another one.
/// </summary>
public sealed class DeviceMemoryTests
{
    private static readonly Dictionary<string, TrainingArguments> Runs = new(StringComparer.Ordinal)
    {
        ["AdamW, accumulating"] = Tiny.Arguments with { GradientAccumulation = 2, MaxSteps = 3 },
        ["AdamW, parts of a batch"] = Tiny.Arguments with { MicroBatchTokens = 16 },
        ["rates of their own"] = Tiny.Arguments with { LoraPlusRatio = 16 },
        ["AdamW of 8 bits"] = Tiny.Arguments with { Optimizer = new AdamW8bitConfig() },
        ["Adafactor"] = Tiny.Arguments with { Optimizer = new AdafactorConfig() },
        ["Muon"] = Tiny.Arguments with { Optimizer = new MuonConfig() },
        ["SGD"] = Tiny.Arguments with { Optimizer = new SgdConfig() },
        ["averages are evaluated"] = Tiny.Arguments with
        {
            Optimizer = new ScheduleFreeAdamWConfig(),
            Schedule = "constant",
            MeasureTokenAccuracy = true,
        },
    };

    public static TheoryData<string> Names => [.. Runs.Keys];

    private static TrainingArguments OnDevice(TrainingArguments arguments) =>
        arguments with { Runtime = arguments.Runtime with { DeviceMemory = "Cpu" } };

    [Theory]
    [MemberData(nameof(Names))]
    public void Train_EndsWithTheBitsOfTheHostsMemory(string name)
    {
        var arguments = Runs[name] with { EvaluationSteps = 2 };
        var (host, device) = (Tiny.Lora(0.1), Tiny.Lora(0.1));

        var expected = Run(host, arguments);
        var actual = Run(device, OnDevice(arguments));

        Assert.Equal(expected, actual);
        Assert.Equal(Tiny.Numbers(host), Tiny.Numbers(device));
        Assert.NotEqual(Tiny.Numbers(Tiny.Lora(0.1)), Tiny.Numbers(device));
    }

    public static TheoryData<string> Methods => ["ia3", "prefix-tuning", "full", "dora"];

    [Theory]
    [MemberData(nameof(Methods))]
    public void Train_OfAnyMethod_EndsWithTheBitsOfTheHostsMemory(string method)
    {
        PeftModel Adapted() => PeftModel.Create(Tiny.Base, method switch
        {
            "ia3" => new Ia3Config { TargetModules = ["c_attn", "mlp.c_proj"], FeedforwardModules = ["mlp.c_proj"] },
            "prefix-tuning" => new PrefixTuningConfig { NumVirtualTokens = 3 },
            "full" => new FullConfig(),
            _ => new LoraConfig { R = 4, TargetModules = ["c_attn"], UseDora = true },
        });
        var (host, device) = (Adapted(), Adapted());
        var arguments = Tiny.Arguments with { MaxSteps = 3, LearningRate = 1e-3 };

        Run(host, arguments);
        Run(device, OnDevice(arguments));

        Assert.Equal(Tiny.Numbers(host), Tiny.Numbers(device));
    }

    /// <summary>A checkpoint has what the device has, and goes back there.</summary>
    [Fact]
    public void Train_WhenCancelledAndResumed_EndsWithTheSameBits()
    {
        using var folder = new TemporaryFolder();
        var arguments = OnDevice(Tiny.Arguments with { Shuffle = true, OutputFolder = folder.Path });
        var expected = Tiny.Lora();
        Tiny.Run(expected, arguments with { OutputFolder = null });
        using var stop = new CancellationTokenSource();
        using (var first = new Trainer(Tiny.Lora(), arguments, Tiny.Data))
            first.Train(new Tiny.Observer(p => CancelAt(p, stop)), stop.Token);

        var resumed = Tiny.Lora(seed: 77);
        using var second = new Trainer(resumed, arguments with { Resume = true }, Tiny.Data);
        second.Train();

        Assert.Equal(Tiny.Numbers(expected), Tiny.Numbers(resumed));
    }

    /// <summary>Each process' gradients go through the machine's memory, where they are summed; one of the three has no
    /// rows in the last batch.</summary>
    [Fact]
    public void Train_ByThreeProcesses_EndsWithTheBitsOfTheHostsMemory()
    {
        float[][] Of(TrainingArguments arguments) => ThreadGroup.Run(3, group =>
        {
            var model = Tiny.Lora();
            Run(model, arguments with { Processes = group, BatchSize = 2, MaxSteps = 3 });
            return Tiny.Numbers(model);
        });

        var (host, device) = (Of(Tiny.Arguments), Of(OnDevice(Tiny.Arguments)));

        Assert.All(device, numbers => Assert.Equal(host[0], numbers));
    }

    /// <summary>After some steps nothing is made anew: each value has two buffers, which take turns.</summary>
    [Fact]
    public void Step_WritesIntoTheBuffersThatItHas()
    {
        var options = Tiny.Arguments.Runtime with { DeviceMemory = "Cpu" };
        var graphs = ModelGraphs.Of(Tiny.Lora(), new CausalLm(), Tiny.Arguments with { Runtime = options }, part: null);
        var (vectors, memory) = graphs.OpenVectors(options);
        using (vectors)
        using (memory)
        {
            Assert.IsType<DeviceMemory>(memory);
            memory.ClearGradients();
            for (var step = 1; step <= 4; step++)
                memory.Move(step, 0.1);
            memory.Fetch();
            var decayed = vectors.Parameters.Span(0, vectors.Parameters.Count).ToArray();
            var host = new TrainedVectors(graphs, options);
            using (host)
            using (var inPlace = new HostMemory(host))
            {
                for (var step = 1; step <= 4; step++)
                    inPlace.Move(step, 0.1);
                Assert.Equal(host.Parameters.Span(0, host.Parameters.Count).ToArray(), decayed);
            }
        }
    }

    /// <summary>Inputs that a model calls as the flat vectors are called stay its own.</summary>
    [Fact]
    public void FlatGraph_OfAModelWithSuchNames_KeepsThem()
    {
        var peft = Tiny.Lora();
        peft.Model.Graph.Rename(peft.Model.Graph.Find("attention_mask")!, "parameters");
        var compiled = TrainingGraph.Build(peft, new CausalLm());

        var flat = FlatGraph.Of(compiled, PortableParameters.Of(peft, static _ => 1).All);

        Assert.Equal(ValueRoles.Data, flat.Contract.Inputs.Single(static v => v.Name == "parameters").Role);
        Assert.NotEqual("parameters", flat.Contract.Input(ValueRoles.Parameters)!.Name);
        Assert.DoesNotContain(flat.Contract.Inputs, static v => v.Role == ValueRoles.Parameter);
        Assert.DoesNotContain(flat.Contract.Outputs, static v => v.Role == ValueRoles.Gradient);
    }

    private static List<(double, double?, double?, double?)> Run(PeftModel model, TrainingArguments arguments)
    {
        var seen = new List<(double, double?, double?, double?)>();
        using var trainer = new Trainer(model, arguments, Tiny.Data, Tiny.Data);
        trainer.Train(new Tiny.Observer(p => seen.Add((p.Metrics.Loss, p.Metrics.GradNorm, p.Evaluation?.Loss, p.Evaluation?.TokenAccuracy))));
        return seen;
    }

    private static void CancelAt(TrainingProgress progress, CancellationTokenSource stop)
    {
        if (progress.Metrics.Step == 3)
            stop.Cancel();
    }
}
