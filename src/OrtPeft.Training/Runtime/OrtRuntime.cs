using System.Diagnostics;
using System.Numerics.Tensors;
using Microsoft.ML.OnnxRuntime;
using OrtPeft.Artifacts;
using OrtPeft.Runtime.Feeding;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors.Numerics;
using OrtPeft.Training.Checkpoints;
using OrtPeft.Training.Data;
using OrtPeft.Training.Distributed;

using Tensor = OrtPeft.Tensors.Tensor;

namespace OrtPeft.Training.Runtime;

/// <summary>Trains with plain inference sessions, so that every ONNX Runtime build can.</summary>
internal sealed class OrtRuntime : ITrainingRuntime
{
    private readonly OrtGraphs _graphs;
    private readonly RuntimeOptions _options;
    private readonly NativeVector _parameters;
    private readonly NativeVector _gradients;
    private readonly LossSession _training;
    private readonly OptimizerSession _optimizer;
    private readonly float[] _scale = new float[1];
    private readonly long[] _dropoutSeed = new long[1];
    private readonly OrtValue? _scaleValue;
    private readonly OrtValue? _dropoutSeedValue;
    private readonly NativeVector? _learningRateFactors;
    private readonly long _seed;
    private readonly ProcessGroup _processes;
    private readonly OrtValue[] _intoGradients;
    private OrtValue[]? _intoPartial;
    private LossSession? _evaluation;
    private LossSession? _accuracy;
    private NativeVector? _partial;

    public OrtRuntime(OrtGraphs graphs, TrainingArguments arguments)
    {
        (_graphs, _options, _seed, _processes) = (graphs, arguments.Runtime, arguments.Seed, arguments.Processes);
        try
        {
            _parameters = new NativeVector(graphs.FlatLength);
            _gradients = new NativeVector(graphs.FlatLength);
            foreach (var parameter in graphs.Parameters)
                graphs.InitialWeight(parameter.Name).ToFloat32().CopyTo(Part(_parameters, parameter));
            _training = new LossSession(graphs.OpenTraining(_options));
            _training.BindRole(ValueRoles.LossScale, _scaleValue = TensorValues.Over(_scale));
            _training.BindRole(ValueRoles.DropoutSeed, _dropoutSeedValue = TensorValues.Over(_dropoutSeed));
            BindParameters(_training, _parameters);
            _intoGradients = Views(_gradients);
            _optimizer = new OptimizerSession(
                graphs.OpenOptimizer(new RuntimeOptions { Threads = _options.Threads }),
                _parameters,
                _gradients);
            if (_optimizer.TakesFactors)
                _optimizer.BindFactors(_learningRateFactors = Factors());
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The trained parameters.</summary>
    public IReadOnlyList<ArtifactParameter> Parameters => _graphs.Parameters;

    /// <summary>The vectors that a checkpoint keeps parameter by parameter, by name.</summary>
    public IReadOnlyList<(string Name, NativeVector Vector)> State =>
    [
        ("parameter", _parameters),
        .. _optimizer.States.Where(static s => s.IsLaidOut).Select(static s => (s.Role.TrimEnd('s'), s.Vector)),
    ];

    /// <summary>The optimiser's numbers that belong to no parameter alone.</summary>
    public IEnumerable<OptimizerState> SharedState => _optimizer.States.Where(static s => !s.IsLaidOut);

    /// <summary>A parameter's part of a vector.</summary>
    public static Span<float> Part(NativeVector vector, ArtifactParameter parameter) =>
        vector.Span(parameter.Offset!.Value, parameter.Count);

    public bool RunsBatchesInParts => true;

    public StepResult Step(int step, double learningRate, IReadOnlyList<Batch> batches)
    {
        Batch[] parts = [.. batches.SelectMany(b => _training.Axes.Split(b, _graphs.VirtualTokens))];
        var total = _processes.Gather((long)parts.Sum(b => b.CountFor(_graphs.VirtualTokens))).Sum();
        if (total == 0)
            return new StepResult(0, 0);
        var loss = _processes.Gather(Accumulate(step, parts, total)).Sum() / total;
        var started = Stopwatch.GetTimestamp();
        _processes.Sum(_gradients);
        var communication = Stopwatch.GetElapsedTime(started).TotalSeconds;
        return new StepResult(
            loss,
            double.IsFinite(loss) ? _optimizer.Run(step, learningRate) : null,
            _processes.Size > 1 ? communication : null);
    }

    public void Share()
    {
        _processes.Broadcast(_parameters);
        foreach (var state in _optimizer.States)
            _processes.Broadcast(state.Vector);
    }

    public (double Sum, long Count) Evaluate(Batch batch) =>
        (_evaluation ??= Opened(_graphs.OpenEvaluation(Unpacked))).Run(batch);

    public (double Sum, long Count) CountRight(Batch batch) =>
        (_accuracy ??= Opened(_graphs.OpenAccuracy(Unpacked))).Run(batch);

    /// <summary>The parameters that are evaluated and saved.</summary>
    private NativeVector Evaluated => _optimizer.Averages ?? _parameters;

    /// <summary>Packed copies of its own would be one more set of all weights.</summary>
    private RuntimeOptions Unpacked => _options with { Prepacking = false };

    private LossSession Opened(GraphSession graph)
    {
        var session = new LossSession(graph) { VirtualTokens = _graphs.VirtualTokens };
        BindParameters(session, Evaluated);
        return session;
    }

    public IReadOnlyDictionary<string, Tensor> GetWeights() => Parameters.ToDictionary(
        static p => p.Name, p => Tensor.Of<float>(Part(Evaluated, p), [.. p.Dims]), StringComparer.Ordinal);

    public string Save(string folder, CheckpointInfo info, IReadOnlyDictionary<string, Tensor>? best) =>
        TrainingCheckpoint.Save(folder, this, info, best);

    public (string Path, CheckpointInfo Info, IReadOnlyDictionary<string, Tensor>? Best) Load(
        string folder, CheckpointInfo expected) => TrainingCheckpoint.Load(folder, this, expected);

    /// <summary>Fields that a failed constructor did not set are null here.</summary>
    public void Dispose()
    {
        _evaluation?.Dispose();
        _accuracy?.Dispose();
        _optimizer?.Dispose();
        _training?.Dispose();
        _scaleValue?.Dispose();
        _dropoutSeedValue?.Dispose();
        _parameters?.Dispose();
        _gradients?.Dispose();
        _partial?.Dispose();
        _learningRateFactors?.Dispose();
    }

    /// <summary>This process's part of the gradient of a step's mean loss, its batches' gradients added up; returns the sum
    /// of their losses.</summary>
    private double Accumulate(int step, Batch[] batches, long total)
    {
        _scale[0] = 1f / total;
        double sum = 0;
        if (batches.Length == 0)
            _gradients.Bytes.Clear();
        foreach (var (index, batch) in batches.Index())
        {
            var place = _processes.IsFirst ? $"{index}" : $"{index}/rank/{_processes.Rank}";
            _dropoutSeed[0] = (long)new SplitMix64(_seed, $"dropout/{step}/{place}").NextUInt64();
            // Bound for every run: what an earlier step's last part left would catch this step's gradient.
            BindGradients(
                index == 0 ? _intoGradients : _intoPartial ??= Views(_partial = new NativeVector(_gradients.Count)));
            sum += _training.RunPart(batch).Sum;
            if (index > 0)
                AddPartial();
        }

        return sum;
    }

    /// <summary>The factors on each element's learning rate.</summary>
    private NativeVector Factors()
    {
        var factors = new NativeVector(_parameters.Count);
        foreach (var parameter in Parameters)
            Part(factors, parameter).Fill((float)parameter.LearningRateFactor);
        return factors;
    }

    private void AddPartial()
    {
        foreach (var parameter in Parameters)
        {
            var sum = Part(_gradients, parameter);
            TensorPrimitives.Add(sum, Part(_partial!, parameter), sum);
        }
    }

    private void BindParameters(LossSession session, NativeVector parameters)
    {
        foreach (var (parameter, view) in Parameters.Zip(Views(parameters)))
            session.BindInput(parameter.Input, view);
    }

    private void BindGradients(IReadOnlyList<OrtValue> views)
    {
        foreach (var (parameter, view) in Parameters.Zip(views))
            _training.BindOutput(parameter.Gradient!, view);
    }

    private OrtValue[] Views(NativeVector vector) =>
        [.. Parameters.Select(p => vector.View(p.Offset!.Value, [.. p.Dims]))];
}
