using System.Diagnostics;
using Microsoft.ML.OnnxRuntime;
using OrtPeft.Artifacts;
using OrtPeft.Runtime.Feeding;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors.Numerics;
using OrtPeft.Training.Checkpoints;
using OrtPeft.Training.Data;
using OrtPeft.Training.Distributed;
using OrtPeft.Training.Runtime.Memory;

using Tensor = OrtPeft.Tensors.Tensor;

namespace OrtPeft.Training.Runtime;

/// <summary>Trains with plain inference sessions, so that every ONNX Runtime build can.</summary>
internal sealed class OrtRuntime : ITrainingRuntime
{
    private readonly OrtGraphs _graphs;
    private readonly RuntimeOptions _options;
    private readonly LossSession _training;
    private readonly TrainedVectors _vectors;
    private readonly IStepMemory _memory;
    private readonly float[] _scale = new float[1];
    private readonly long[] _dropoutSeed = new long[1];
    private readonly OrtValue? _scaleValue;
    private readonly OrtValue? _dropoutSeedValue;
    private readonly long _seed;
    private readonly ProcessGroup _processes;
    private LossSession? _evaluation;
    private LossSession? _accuracy;

    public OrtRuntime(OrtGraphs graphs, TrainingArguments arguments)
    {
        (_graphs, _options, _seed, _processes) = (graphs, arguments.Runtime, arguments.Seed, arguments.Processes);
        try
        {
            _training = new LossSession(graphs.OpenTraining(_options));
            _training.BindRole(ValueRoles.LossScale, _scaleValue = TensorValues.Over(_scale));
            _training.BindRole(ValueRoles.DropoutSeed, _dropoutSeedValue = TensorValues.Over(_dropoutSeed));
            (_vectors, _memory) = graphs.OpenVectors(_options);
            _memory.Feed(_training, evaluated: false);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The trained parameters.</summary>
    public IReadOnlyList<ArtifactParameter> Parameters => _vectors.All;

    /// <summary>The vectors that a checkpoint keeps parameter by parameter, by name.</summary>
    public IReadOnlyList<(string Name, NativeVector Vector)> State =>
    [
        ("parameter", _vectors.Parameters),
        .. _vectors.Optimizer.States.Where(static s => s.IsLaidOut).Select(static s => (s.Role.TrimEnd('s'), s.Vector)),
    ];

    /// <summary>The optimiser's numbers that belong to no parameter alone.</summary>
    public IEnumerable<OptimizerState> SharedState => _vectors.Optimizer.States.Where(static s => !s.IsLaidOut);

    public bool RunsBatchesInParts => true;

    public StepResult Step(int step, double learningRate, IReadOnlyList<Batch> batches)
    {
        Batch[] parts = [.. batches.SelectMany(b => _training.Axes.Split(b, _graphs.VirtualTokens))];
        var total = _processes.Gather((long)parts.Sum(b => b.CountFor(_graphs.VirtualTokens))).Sum();
        if (total == 0)
            return new StepResult(0, 0);
        var loss = _processes.Gather(Accumulate(step, parts, total)).Sum() / total;
        var started = Stopwatch.GetTimestamp();
        _memory.SumGradients(_processes);
        var communication = Stopwatch.GetElapsedTime(started).TotalSeconds;
        double? norm = double.IsFinite(loss) ? _memory.Move(step, learningRate) : null;
        return new StepResult(loss, norm, _processes.Size > 1 ? communication : null)
        {
            ScaleAfterSkip = double.IsFinite(norm ?? 0) ? null : ReducedScale(),
        };
    }

    private double? ReducedScale()
    {
        if (_vectors.GradientScale is not { } scale)
            return null;
        _memory.Fetch();
        return scale.Vector.Span(0, 1)[0];
    }

    public void Share()
    {
        if (_processes.Size == 1)
            return;
        _memory.Fetch();
        _processes.Broadcast(_vectors.Parameters);
        foreach (var state in _vectors.Optimizer.States)
            _processes.Broadcast(state.Vector);
        _memory.Send();
    }

    public (double Sum, long Count) Evaluate(Batch batch) =>
        (_evaluation ??= Opened(_graphs.OpenEvaluation(Unpacked))).Run(batch);

    public (double Sum, long Count) CountRight(Batch batch) =>
        (_accuracy ??= Opened(_graphs.OpenAccuracy(Unpacked))).Run(batch);

    /// <summary>Packed copies of its own would be one more set of all weights.</summary>
    private RuntimeOptions Unpacked => _options with { Prepacking = false };

    private LossSession Opened(GraphSession graph)
    {
        var session = new LossSession(graph) { VirtualTokens = _graphs.VirtualTokens };
        _memory.Feed(session, evaluated: true);
        return session;
    }

    public IReadOnlyDictionary<string, Tensor> GetWeights()
    {
        _memory.Fetch();
        return VectorWeights();
    }

    /// <summary>The parameters as they are in the vectors, copied.</summary>
    public IReadOnlyDictionary<string, Tensor> VectorWeights() => Parameters.ToDictionary(
        static p => p.Name,
        p => Tensor.Of<float>(TrainedVectors.Part(_vectors.Evaluated, p), [.. p.Dims]),
        StringComparer.Ordinal);

    public string Save(string folder, CheckpointInfo info, IReadOnlyDictionary<string, Tensor>? best)
    {
        _memory.Fetch();
        return TrainingCheckpoint.Save(folder, this, info, best);
    }

    public (string Path, CheckpointInfo Info, IReadOnlyDictionary<string, Tensor>? Best) Load(
        string folder, CheckpointInfo expected)
    {
        var loaded = TrainingCheckpoint.Load(folder, this, expected);
        _memory.Send();
        return loaded;
    }

    /// <summary>Fields that a failed constructor did not set are null here.</summary>
    public void Dispose()
    {
        _evaluation?.Dispose();
        _accuracy?.Dispose();
        _training?.Dispose();
        _memory?.Dispose();
        _vectors?.Dispose();
        _scaleValue?.Dispose();
        _dropoutSeedValue?.Dispose();
    }

    /// <summary>This process's part of the gradient of a step's mean loss, its batches' gradients added up; returns the sum
    /// of their losses.</summary>
    private double Accumulate(int step, Batch[] batches, long total)
    {
        _scale[0] = 1f / total;
        double sum = 0;
        if (batches.Length == 0)
            _memory.ClearGradients();
        foreach (var (index, batch) in batches.Index())
        {
            var place = _processes.IsFirst ? $"{index}" : $"{index}/rank/{_processes.Rank}";
            _dropoutSeed[0] = (long)new SplitMix64(_seed, $"dropout/{step}/{place}").NextUInt64();
            _memory.BeforePart(_training, index);
            sum += _training.RunPart(batch).Sum;
            _memory.AfterPart(_training, index);
        }

        return sum;
    }
}
