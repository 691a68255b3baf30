using System.Numerics.Tensors;
using Microsoft.ML.OnnxRuntime;
using OrtPeft.Adapters;
using OrtPeft.Adapters.Artifacts;
using OrtPeft.Adapters.Artifacts.Objectives;
using OrtPeft.Inference.Sessions;
using OrtPeft.Onnx.Numerics;
using OrtPeft.Onnx.Passes;
using OrtPeft.Training.Data;
using Tensor = OrtPeft.Onnx.Tensor;

namespace OrtPeft.Training.Runtime;

/// <summary>Trains with two plain inference sessions, so that every ONNX Runtime build can.</summary>
internal sealed class OrtRuntime : IDisposable
{
    private readonly FlatVector _parameters;
    private readonly FlatVector _gradients;
    private readonly FlatVector _moments1;
    private readonly FlatVector _moments2;
    private readonly FlatVector? _learningRateFactors;
    private readonly LossSession _training;
    private readonly OptimizerSession _optimizer;
    private readonly Func<LossSession> _openEvaluation;
    private readonly float[] _scale = new float[1];
    private readonly long[] _dropoutSeed = new long[1];
    private readonly OrtValue _scaleValue;
    private readonly OrtValue _dropoutSeedValue;
    private readonly long _seed;
    private readonly int _virtualTokens;
    private readonly OrtValue[] _intoGradients;
    private OrtValue[]? _intoPartial;
    private LossSession? _evaluation;
    private FlatVector? _partial;

    public OrtRuntime(PeftModel peft, IObjective objective, TrainingArguments arguments)
    {
        Layout = new ParameterLayout(peft.Parameters);
        _seed = arguments.Seed;
        _virtualTokens = peft.VirtualTokens;
        _parameters = new FlatVector(Layout.Count);
        _gradients = new FlatVector(Layout.Count);
        _moments1 = new FlatVector(Layout.Count);
        _moments2 = new FlatVector(Layout.Count);
        foreach (var (slot, parameter) in Layout.Slots.Zip(peft.Parameters))
            parameter.Value.Initializer!.ToFloat32().CopyTo(_parameters.Span(slot.Offset, slot.Count));
        _scaleValue = TensorValues.Over(_scale);
        _dropoutSeedValue = TensorValues.Over(_dropoutSeed);
        _training = new LossSession(
            TrainingGraph.ForTraining(peft, objective, arguments.BaseDropout), arguments.Runtime);
        _training.BindInput(TrainingGraph.Scale, _scaleValue);
        if (_training.Has(DropoutLowering.SeedInput))
            _training.BindInput(DropoutLowering.SeedInput, _dropoutSeedValue);
        BindParameters(_training);
        BindGradients(_intoGradients = Views(_gradients));
        _optimizer = new OptimizerSession(
            _parameters,
            _gradients,
            _moments1,
            _moments2,
            _learningRateFactors = Factors([.. peft.Parameters.Select(p => LearningRateFactors.Of(p, arguments))]),
            arguments.Optimizer,
            arguments.Runtime.Threads);
        _openEvaluation = () => new LossSession(TrainingGraph.ForEvaluation(peft, objective), arguments.Runtime);
    }

    public ParameterLayout Layout { get; }

    /// <summary>The vectors that a checkpoint keeps, by name.</summary>
    public IReadOnlyList<(string Name, FlatVector Vector)> State =>
        [("parameter", _parameters), ("first_moment", _moments1), ("second_moment", _moments2)];

    /// <summary>Computes the gradient of one step's mean loss, its batches' gradients added up.</summary>
    /// <param name="step">The step's number, from 1.</param>
    /// <param name="batches">The step's batches.</param>
    /// <returns>The mean loss over all supervised elements.</returns>
    public double Accumulate(int step, IReadOnlyList<FeedBatch> batches)
    {
        var total = batches.Sum(b => b.CountFor(_virtualTokens));
        _scale[0] = 1f / total;
        double sum = 0;
        foreach (var (index, batch) in batches.Index())
        {
            _dropoutSeed[0] = (long)new SplitMix64(_seed, $"dropout/{step}/{index}").NextUInt64();
            if (batches.Count > 1)
                BindGradients(
                    index == 0 ? _intoGradients : _intoPartial ??= Views(_partial = new FlatVector(Layout.Count)));
            sum += _training.Run(batch).Sum;
            if (index > 0)
                AddPartial();
        }

        return sum / total;
    }

    /// <summary>Moves the parameters.</summary>
    /// <returns>The gradients' norm before clipping.</returns>
    public double Update(int step, double learningRate) => _optimizer.Run(step, learningRate);

    /// <summary>Measures the loss with the current parameters, without dropout.</summary>
    public (double Sum, long Count) Evaluate(FeedBatch batch)
    {
        if (_evaluation is null)
            BindParameters(_evaluation = _openEvaluation());
        return _evaluation.Run(batch);
    }

    /// <summary>The current parameters, copied.</summary>
    public IReadOnlyDictionary<string, Tensor> GetWeights() => Layout.Slots.ToDictionary(
        static s => s.Name, s => Tensor.Of<float>(_parameters.Span(s.Offset, s.Count), s.Dims), StringComparer.Ordinal);

    public void Dispose()
    {
        _evaluation?.Dispose();
        _optimizer.Dispose();
        _training.Dispose();
        _scaleValue.Dispose();
        _dropoutSeedValue.Dispose();
        _parameters.Dispose();
        _gradients.Dispose();
        _moments1.Dispose();
        _moments2.Dispose();
        _partial?.Dispose();
        _learningRateFactors?.Dispose();
    }

    /// <summary>What multiplies each element's learning rate; null when nothing has a rate of its own.</summary>
    private FlatVector? Factors(IReadOnlyList<double> byParameter)
    {
        if (byParameter.All(static f => f == 1))
            return null;
        var factors = new FlatVector(Layout.Count);
        foreach (var (slot, factor) in Layout.Slots.Zip(byParameter))
            factors.Span(slot.Offset, slot.Count).Fill((float)factor);
        return factors;
    }

    private void AddPartial()
    {
        foreach (var slot in Layout.Slots)
        {
            var sum = _gradients.Span(slot.Offset, slot.Count);
            TensorPrimitives.Add(sum, _partial!.Span(slot.Offset, slot.Count), sum);
        }
    }

    private void BindParameters(LossSession session)
    {
        foreach (var slot in Layout.Slots)
            session.BindInput(slot.Name, _parameters.View(slot.Offset, slot.Dims));
    }

    private void BindGradients(IReadOnlyList<OrtValue> views)
    {
        foreach (var (slot, view) in Layout.Slots.Zip(views))
            _training.BindOutput(TrainingGraph.GradientOf(slot.Name), view);
    }

    private OrtValue[] Views(FlatVector vector) => [.. Layout.Slots.Select(s => vector.View(s.Offset, s.Dims))];
}
