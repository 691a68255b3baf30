using System.Buffers;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using OrtPeft.Artifacts;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Inference.Generation;
using OrtPeft.Onnx;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;
using OrtPeft.Training.Checkpoints;
using OrtPeft.Training.Data;
using OrtPeft.Training.Runtime;
using OrtPeft.Training.Subjects;
using OrtPeft.Training.Tests.Runs;
using OrtPeft.Training.Tests.Verdicts;

namespace OrtPeft.Training.Tests.Runtime;

/// <summary>A constructor that throws half way has released what it opened before: sessions, vectors, pins.</summary>
[SuppressMessage("Reliability", "CA2000", Justification = "Who releases what is what is tested.")]
public sealed class ReleaseTests
{
    private static readonly ArtifactDim[] Huge = [ArtifactDim.Of(1L << 40), ArtifactDim.Of(4)];

    private static readonly RuntimeOptions OneThread = new() { Threads = 1, Prepacking = false };

    private static OrtGraphs Graphs { get; } =
        ModelGraphs.Of(Tiny.Lora(), new CausalLm(), Tiny.Arguments, part: null);

    private static readonly Dictionary<string, Action<Opened>> Cases = new(StringComparer.Ordinal)
    {
        ["loss without its sum"] = static o => Loss(o, static g => Without(g, ValueRoles.LossSum)),
        ["loss without its count"] = static o => Loss(o, static g => Without(g, ValueRoles.LossCount)),
        ["loss of an axis out of range"] = static o => Loss(o, WithHugeAxis),
        ["optimizer without first moments"] = static o => Optimizer(o, ValueRoles.FirstMoments),
        ["optimizer without a step"] = static o => Optimizer(o, ValueRoles.Step),
        ["optimizer without a norm"] = static o => Optimizer(o, ValueRoles.GradNorm),
        ["runtime whose training lacks its sum"] = static o => _ = new OrtRuntime(
            new OtherGraphs { Training = p => o.Of(Without(Graphs.OpenTraining(p), ValueRoles.LossSum)) },
            Tiny.Arguments),
        ["runtime whose optimizer lacks its norm"] = static o => _ = new OrtRuntime(
            new OtherGraphs
            {
                Training = p => o.Of(Graphs.OpenTraining(p)),
                Optimizer = p => o.Of(Without(Graphs.OpenOptimizer(p), ValueRoles.GradNorm)),
            },
            Tiny.Arguments),
        ["runtime whose optimizer lacks its gradients"] = static o => _ = new OrtRuntime(
            new OtherGraphs
            {
                Training = p => o.Of(Graphs.OpenTraining(p)),
                Optimizer = p => o.Of(Without(Graphs.OpenOptimizer(p), ValueRoles.Gradients)),
            },
            Tiny.Arguments),
        ["runtime whose optimizer does not open"] = static o => _ = new OrtRuntime(
            new OtherGraphs
            {
                Training = p => o.Of(Graphs.OpenTraining(p)),
                Optimizer = static _ => throw new OnnxFormatException("it does not open"),
            },
            Tiny.Arguments),
        ["subject that cannot be described"] = static o => TrainingSubject.Over(
            new NoRuntime(o.Add()), static _ => throw new OnnxFormatException("the base cannot be read")),
        ["feeds of which one is missing"] = static o => _ = new Feeds(
            [Input("input_ids"), Input("labels")],
            new Batch(new Dictionary<string, Tensor> { ["input_ids"] = Pinned(o) }, 1, 1)),
    };

    public static TheoryData<string> Names => [.. Cases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Constructor_ThatThrows_ReleasesWhatItHad(string name)
    {
        var opened = new Opened();

        Assert.ThrowsAny<Exception>(() => Cases[name](opened));

        Assert.True(opened.Count > 0);
        Assert.Equal(opened.Count, opened.Released);
    }

    /// <summary>Four vectors of 32 MB each time: six times of them would be 768 MB.</summary>
    [Fact]
    public void Runtime_WhoseWeightsCannotBeRead_FreesItsVectors()
    {
        var graphs = new OtherGraphs(8 << 20)
        {
            Weight = static _ => throw new OnnxFormatException("the weights cannot be read"),
        };
        var before = Resident();

        for (var i = 0; i < 6; i++)
            Assert.Throws<OnnxFormatException>(() => new OrtRuntime(graphs, Tiny.Arguments));

        Assert.InRange(Resident() - before, long.MinValue, 384L << 20);
    }

    /// <summary>Each open session keeps three threads: thirty of them would keep ninety.</summary>
    [Fact]
    public void Generator_ThatIsRefusedWithItsSessionOpen_ClosesIt()
    {
        var model = new TinyDecoder { Positions = "last", Length = 8 }.Build();
        var before = Threads();

        for (var i = 0; i < 30; i++)
            Assert.Throws<GraphException>(() => Generator.Open(model, OneThread with { Threads = 4 }));

        Assert.InRange(Threads() - before, int.MinValue, 45);
    }

    private static void Loss(Opened opened, Func<GraphSession, GraphSession> change) =>
        _ = new LossSession(opened.Of(change(Graphs.OpenTraining(OneThread))));

    private static void Optimizer(Opened opened, string role)
    {
        using var vector = new NativeVector(Graphs.FlatLength);
        _ = new OptimizerSession(
            opened.Of(Without(Graphs.OpenOptimizer(OneThread), role)), vector);
    }

    private static GraphSession Without(GraphSession graph, string role) => Changed(graph, graph.Contract with
    {
        Inputs = [.. graph.Contract.Inputs.Where(v => v.Role != role)],
        Outputs = [.. graph.Contract.Outputs.Where(v => v.Role != role)],
    });

    private static GraphSession WithHugeAxis(GraphSession graph) => Changed(graph, graph.Contract with
    {
        Inputs = [.. graph.Contract.Inputs.Select(static v => v.Name == "input_ids" ? v with { Dims = Huge } : v)],
    });

    private static GraphSession Changed(GraphSession graph, ArtifactGraph contract) =>
        new(graph.Session, contract, new RuntimeOptions(), graph, "The graph");

    private static ArtifactValue Input(string name) => new() { Name = name, Role = ValueRoles.Data };

    private static Tensor Pinned(Opened opened) =>
        new(ElementType.Int64, [1], new MemoryTensorData(new CountedMemory(opened.Add()).Memory));

    private static long Resident()
    {
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }

    private static int Threads()
    {
        using var process = Process.GetCurrentProcess();
        return process.Threads.Count;
    }

    /// <summary>Counts what is opened, and how much of it is released.</summary>
    private sealed class Opened
    {
        public int Count { get; private set; }

        public int Released { get; private set; }

        public GraphSession Of(GraphSession graph) =>
            new(graph.Session, graph.Contract, new RuntimeOptions(), new Once(Add(), graph), "The graph");

        public Action Add()
        {
            Count++;
            return () => Released++;
        }
    }

    private sealed class OtherGraphs(long? flatLength = null)
        : OrtGraphs(Graphs.Parameters, flatLength ?? Graphs.FlatLength, Graphs.VirtualTokens)
    {
        public Func<string, Tensor> Weight { get; init; } = Graphs.InitialWeight;

        public Func<RuntimeOptions, GraphSession> Training { get; init; } = Graphs.OpenTraining;

        public Func<RuntimeOptions, GraphSession> Optimizer { get; init; } = Graphs.OpenOptimizer;

        public override Tensor InitialWeight(string parameter) => Weight(parameter);

        public override GraphSession OpenTraining(RuntimeOptions options) => Training(options);

        public override GraphSession OpenEvaluation(RuntimeOptions options) => Graphs.OpenEvaluation(options);

        public override GraphSession OpenOptimizer(RuntimeOptions options) => Optimizer(options);
    }

    private sealed class Once(Action released, IDisposable inner) : IDisposable
    {
        public void Dispose()
        {
            inner.Dispose();
            released();
        }
    }

    private sealed class CountedMemory(Action released) : MemoryManager<byte>
    {
        private readonly byte[] _bytes = new byte[8];

        public override Span<byte> GetSpan() => _bytes;

        public override unsafe MemoryHandle Pin(int elementIndex = 0)
        {
            var pin = System.Runtime.InteropServices.GCHandle.Alloc(
                _bytes, System.Runtime.InteropServices.GCHandleType.Pinned);
            return new MemoryHandle((void*)pin.AddrOfPinnedObject(), pin, this);
        }

        public override void Unpin() => released();

        protected override void Dispose(bool disposing)
        {
        }
    }

    private sealed class NoRuntime(Action released) : ITrainingRuntime
    {
        public bool RunsBatchesInParts => false;

        public StepResult Step(int step, double learningRate, IReadOnlyList<Batch> batches) =>
            throw new NotSupportedException();

        public (double Sum, long Count) Evaluate(Batch batch) => throw new NotSupportedException();

        public (double Sum, long Count) CountRight(Batch batch) => throw new NotSupportedException();

        public void Share()
        {
        }

        public IReadOnlyDictionary<string, Tensor> GetWeights() => throw new NotSupportedException();

        public string Save(string folder, CheckpointInfo info, IReadOnlyDictionary<string, Tensor>? best) =>
            throw new NotSupportedException();

        public (string Path, CheckpointInfo Info, IReadOnlyDictionary<string, Tensor>? Best) Load(
            string folder, CheckpointInfo expected) => throw new NotSupportedException();

        public void Dispose() => released();
    }
}
