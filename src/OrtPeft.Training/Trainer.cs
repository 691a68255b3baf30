using System.Collections.Immutable;
using System.Diagnostics;
using System.Text.Json;
using OrtPeft.Adapters;
using OrtPeft.Compilation.Memory;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;
using OrtPeft.Training.Answers;
using OrtPeft.Training.Checkpoints;
using OrtPeft.Training.Data;
using OrtPeft.Training.Distributed;
using OrtPeft.Training.Evaluations;
using OrtPeft.Training.Metrics;
using OrtPeft.Training.Runtime;
using OrtPeft.Training.Schedules;
using OrtPeft.Training.Subjects;

namespace OrtPeft.Training;

/// <summary>
/// Trains an adapter, of a model in memory or of an artifact folder. The same seed, data and thread count give the same
/// run again, and a resumed run ends with the same bits as one that never stopped. Not thread-safe; dispose it to free
/// its sessions.
/// </summary>
public sealed class Trainer : IDisposable
{
    /// <summary>The name of the checkpoint in the output folder, for plain sessions.</summary>
    public const string CheckpointFile = TrainingCheckpoint.FileName;

    /// <summary>The names that checkpoints have in output folders: one for each runtime.</summary>
    public static IReadOnlyList<string> CheckpointFiles { get; } = [CheckpointFile, OrtTrainingRuntime.StateFile];

    /// <summary>The names of all files that a run writes into its output folder while it lasts. A run that starts over
    /// removes those of the run before, before its first step.</summary>
    public static IReadOnlyList<string> RunFiles { get; } =
        [.. CheckpointFiles, OrtTrainingRuntime.StateDataFile, OrtTrainingRuntime.BestFile, MetricsLog.FileName];

    private readonly TrainingArguments _arguments;
    private readonly IDataset _train;
    private readonly IDataset? _evaluation;
    private readonly ImmutableArray<ImmutableArray<int>>? _packs;
    private readonly BatchSchedule _batches;
    private readonly LearningRateSchedule _schedule;
    private readonly TrainingSubject _subject;
    private readonly GradientWatch _gradients;
    private readonly BestWeights _best;
    private string? _checkpoint;
    private bool _hasTrained;
    private bool _isStale;

    /// <summary>Builds the training graph and opens its session.</summary>
    /// <param name="model">The adapted model; its weights are set when a run ends.</param>
    /// <param name="arguments">How to train.</param>
    /// <param name="train">The rows to train on.</param>
    /// <param name="evaluation">Held-out rows to measure with, or null.</param>
    /// <param name="objective">What to minimise; next-token cross-entropy when left out.</param>
    /// <exception cref="ArgumentException">An argument is out of its range.</exception>
    /// <exception cref="Onnx.UnsupportedOpException">The model has an operator without a gradient on the
    /// way.</exception>
    public Trainer(
        PeftModel model,
        TrainingArguments arguments,
        IDataset train,
        IDataset? evaluation = null,
        IObjective? objective = null)
        : this(
            arguments,
            train,
            evaluation,
            rows => ModelSubject.Open(Given(model), objective, arguments, LargestPart(arguments, train, rows)))
    {
    }

    private Trainer(
        TrainingArguments arguments, IDataset train, IDataset? evaluation, Func<int, TrainingSubject> open)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        ArgumentNullException.ThrowIfNull(train);
        ArgumentsCheck.Validate(arguments);
        _arguments = arguments;
        _train = train;
        _evaluation = evaluation;
        if (arguments.PackLength is { } length)
            _packs = Packs.Fill([.. Enumerable.Range(0, train.RowCount).Select(train.LengthOf)], length);
        var order = new BatchOrder(
            _packs?.Length ?? train.RowCount,
            checked(arguments.BatchSize * Processes.Size),
            arguments.Shuffle ? arguments.Seed : null);
        _batches = arguments.MaxSteps is { } steps
            ? BatchSchedule.ForSteps(order, arguments.GradientAccumulation, steps)
            : BatchSchedule.ForEpochs(order, arguments.GradientAccumulation, arguments.Epochs);
        _schedule = LearningRateSchedule.Create(
            arguments.Schedule,
            arguments.WarmupSteps,
            _batches.TotalSteps,
            arguments.LearningRate,
            arguments.ScheduleSettings);
        _best = new BestWeights(EvaluationMetric.Find(arguments.BestMetric)!, arguments.MinDelta);
        _gradients = new GradientWatch(_batches.StepsPerEpoch, _batches.TotalSteps);
        _subject = open(MostRowsOfBatch());
    }

    /// <summary>
    /// Opens an artifact folder, which the runtime that it was written for trains: plain sessions, or ONNX Runtime's
    /// training session. No code for graphs is loaded.
    /// </summary>
    /// <param name="folder">A folder that <c>ortpeft artifacts</c> wrote; it is not changed.</param>
    /// <param name="arguments">How to train. The optimiser's constants, LoRA+ and the base's dropout are part of the
    /// folder's models and stay at their defaults here.</param>
    /// <param name="train">The rows to train on.</param>
    /// <param name="evaluation">Held-out rows to measure with, or null.</param>
    /// <returns>The trainer; <see cref="SaveAdapter"/> writes what it learns.</returns>
    /// <exception cref="ArgumentException">An argument is out of its range, or fixed by the folder.</exception>
    /// <exception cref="Tensors.OnnxFormatException">A file of the folder is missing or damaged.</exception>
    /// <exception cref="TrainingRuntimeException">This build of ONNX Runtime cannot train the folder.</exception>
    public static Trainer FromArtifacts(
        string folder, TrainingArguments arguments, IDataset train, IDataset? evaluation = null)
    {
        ArgumentNullException.ThrowIfNull(folder);
        return new Trainer(arguments, train, evaluation, _ => ArtifactSubject.Open(folder, arguments));
    }

    /// <summary>An estimate of the memory that training takes; null where that is not known.</summary>
    public MemoryPlan? Memory => _subject.Memory;

    /// <summary>How many steps the run was to have before it was resumed to have more; null where that is not so, or the
    /// run has not begun.</summary>
    public int? ExtendedFrom { get; private set; }

    /// <summary>The number of steps of the whole run.</summary>
    public int TotalSteps => _batches.TotalSteps;

    /// <summary>How often the whole run goes through the rows, in epochs.</summary>
    public double TotalEpochs => _batches.EpochsAfter(TotalSteps);

    /// <summary>
    /// Trains to the end, or until cancelled; then sets the model's weights, if it has one, and writes a checkpoint.
    /// </summary>
    /// <param name="progress">Told after every step, and before the first where the model is evaluated then; on the calling
    /// thread's terms.</param>
    /// <param name="cancellation">Stops after the step under way.</param>
    /// <returns>How the run ended.</returns>
    /// <exception cref="ArgumentException">The checkpoint belongs to another run.</exception>
    /// <exception cref="TrainingFailedException">The loss is not finite, or the checkpoint is damaged.</exception>
    /// <exception cref="InvalidOperationException">The trainer has run before, and is not to resume.</exception>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public TrainingResult Train(IProgress<TrainingProgress>? progress = null, CancellationToken cancellation = default)
    {
        if (_hasTrained && !_arguments.Resume)
            throw new InvalidOperationException("The trainer has run; create another one, with Resume to go on.");
        _hasTrained = true;
        var start = Begin();
        var log = new Lazy<MetricsLog?>(() => OpenLog(start.Step));
        try
        {
            return Train(start, log, progress, cancellation);
        }
        finally
        {
            if (log.IsValueCreated)
                log.Value?.Dispose();
        }
    }

    private TrainingResult Train(
        CheckpointInfo start,
        Lazy<MetricsLog?> log,
        IProgress<TrainingProgress>? progress,
        CancellationToken cancellation)
    {
        var (step, seconds, loss) = (start.Step, start.Seconds, double.NaN);
        var clock = new Stopwatch();
        EvaluationMetrics? last = null;
        if (step == 0 && _arguments.EvaluateFirst && Measures)
        {
            var (before, answers) = Measure(0);
            if (before is not null)
                _best.See(before, weights: null);
            Write(log, before, answers);
            progress?.Report(new(Unmoved, TotalSteps, TimeSpan.Zero, before, null) { Answers = answers });
        }

        for (; step < TotalSteps && MustGoOn(cancellation); step++)
        {
            clock.Restart();
            CheckBase();
            var metrics = RunStep(step, clock);
            (seconds, loss) = (seconds + metrics.Seconds, metrics.Loss);
            log.Value?.Append(metrics);
            var (evaluation, answers) = IsDue(_arguments.EvaluationSteps, step + 1) ? Measure(step + 1) : (null, []);
            Write(log, evaluation, answers);
            if (evaluation is not null)
            {
                last = evaluation;
                _best.See(evaluation, _arguments.KeepBest ? _subject.Runtime.GetWeights : null);
            }

            var isSaved = step + 1 < TotalSteps && IsDue(_arguments.CheckpointSteps, step + 1);
            var remaining = TimeSpan.FromSeconds(seconds / (step + 1) * (TotalSteps - step - 1));
            progress?.Report(
                new(metrics, TotalSteps, remaining, evaluation, isSaved ? SaveCheckpoint(step + 1, seconds) : null)
                {
                    Answers = answers,
                });
        }

        SaveCheckpoint(step, seconds);
        _subject.SetWeights(Weights);
        return new TrainingResult(step, step >= TotalSteps || _isStale, loss, seconds)
        {
            BaseEvaluation = _best.State.Base,
            BestEvaluation = _best.State.Best,
            KeptStep = _best.Weights is null ? step : _best.State.Best!.Step,
            KeptEvaluation = _best.Weights is not null ? _best.State.Best : last?.Step == step ? last : null,
        };
    }

    /// <summary>The step's part of a report before the first step.</summary>
    private static StepMetrics Unmoved { get; } = new()
    {
        Step = 0,
        Epoch = 0,
        Loss = double.NaN,
        LearningRate = 0,
        GradNorm = double.NaN,
        Tokens = 0,
        TokensPerSecond = 0,
        Seconds = 0,
    };

    private ProcessGroup Processes => _arguments.Processes;

    /// <summary>Where files are written; null for nowhere, as for all processes but the first.</summary>
    private string? Folder => Processes.IsFirst ? _arguments.OutputFolder : null;

    /// <summary>Whether another step is made: all processes decide alike. A stop that one was asked for is all's, and the
    /// first one's evaluations count.</summary>
    private bool MustGoOn(CancellationToken cancellation)
    {
        var isStale = _arguments.Patience is { } patience && _best.State.Stale >= patience;
        var all = Processes.Gather((IsStale: isStale, IsCancelled: cancellation.IsCancellationRequested));
        _isStale = all[0].IsStale;
        return !_isStale && !all.Any(static p => p.IsCancelled);
    }

    /// <summary>The best weights where those are kept, else the present ones.</summary>
    private IReadOnlyDictionary<string, Tensor> Weights => _best.Weights ?? _subject.Runtime.GetWeights();

    /// <summary>
    /// Asks the model at each evaluation, the one before the first step too; null (default) for nothing. It is given the
    /// number of steps done, and the model has the weights of then. What it scores becomes part of the evaluation.
    /// </summary>
    public Func<int, Examination>? Examiner { get; set; }

    /// <summary>Is told what goes on between two reports of steps; null (default) for nobody.</summary>
    public IProgress<TrainingActivity>? Activity { get; set; }

    private bool Measures => _evaluation is not null || Examiner is not null;

    /// <summary>Measures the mean loss over the evaluation rows with the current parameters, without dropout, and the
    /// accuracy of tokens where that is wanted.</summary>
    /// <param name="step">The number of steps done, for the result.</param>
    /// <returns>The evaluation, or null without evaluation rows.</returns>
    public EvaluationMetrics? Evaluate(int step = 0)
    {
        if (_evaluation is null)
            return null;
        var result = Pass(_subject.Runtime.Evaluate, "evaluating");
        return new EvaluationMetrics
        {
            Step = step,
            Loss = result.Loss,
            TokenAccuracy = _arguments.MeasureTokenAccuracy
                ? Pass(_subject.Runtime.CountRight, "counting right tokens").Loss
                : null,
        };
    }

    private EvaluationResult Pass(Func<Batch, (double Sum, long Count)> measure, string what) => EvaluationPass.Run(
        _evaluation!,
        _arguments.BatchSize,
        _subject.VirtualTokens,
        measure,
        (done, total) => Activity?.Report(new(what, done, total)),
        Processes);

    /// <summary>An evaluation with what the model answers.</summary>
    private (EvaluationMetrics? Evaluation, IReadOnlyList<SampleAnswer> Answers) Measure(int step)
    {
        var evaluation = Evaluate(step);
        if (Examiner is null || !Processes.IsFirst)
            return (evaluation, []);
        _subject.SetWeights(_subject.Runtime.GetWeights());
        var examination = Examiner(step);
        return (evaluation is null ? null : examination.AddTo(evaluation), examination.Answers);
    }

    private static void Write(Lazy<MetricsLog?> log, EvaluationMetrics? evaluation, IReadOnlyList<SampleAnswer> answers)
    {
        if (evaluation is not null)
            log.Value?.Append(evaluation);
        if (answers.Count > 0)
            log.Value?.Append(answers[0].Step, answers);
    }

    /// <summary>Writes the adapter as HF PEFT does: with the weights of the best evaluation where those are kept, else with
    /// its present ones.</summary>
    /// <param name="folder">Receives <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>; created if
    /// missing.</param>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public void SaveAdapter(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        _subject.Save(folder, Weights);
    }

    /// <summary>Writes the adapter as <see cref="SaveAdapter"/> does, with its present weights, between steps
    /// too.</summary>
    /// <param name="folder">Receives the files; created if missing.</param>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public void SavePresentAdapter(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        _subject.Save(folder, _subject.Runtime.GetWeights());
    }

    /// <inheritdoc/>
    public void Dispose() => _subject.Dispose();

    private static PartSize? LargestPart(TrainingArguments arguments, IDataset train, int rowsOfBatch) =>
        train is TokenDataset ? MicroBatches.Largest(train, rowsOfBatch, arguments.MicroBatchTokens) : null;

    /// <summary>A pack counts as one row of a batch, and brings all of its own.</summary>
    private int MostRowsOfBatch() => _packs is { } packs
        ? packs.Select(static pack => pack.Length).OrderDescending().Take(_arguments.BatchSize).Sum()
        : _arguments.BatchSize;

    private static PeftModel Given(PeftModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return model;
    }

    private CheckpointInfo Begin()
    {
        var fresh = Info(0, 0);
        Agreement.Require(Processes, fresh.Settings, Plan);
        if (Folder is { } folder)
        {
            using var stage = new StagedFolder(folder); // finishes what a run before left unfinished
            if (!_arguments.Resume)
                stage.Commit(RunFiles);
        }

        if (!_arguments.Resume)
            return fresh;
        var info = fresh;
        if (Folder is { } saved)
        {
            (_checkpoint, info, var best) = _subject.Runtime.Load(saved, fresh);
            ExtendedFrom = info.ExtendedBy(fresh);
            _best.Restore(info.Evaluations, _arguments.KeepBest ? best : null);
        }

        info = Shared(info);
        return info.Step >= 0 && info.Step <= TotalSteps ? info : throw new TrainingFailedException(
            $"{_checkpoint} says that {info.Step} of {TotalSteps} steps are done; it is damaged: train without "
            + "resuming.");
    }

    /// <summary>Settings that decide on the way what each process does next, beside those that make the run what it
    /// is.</summary>
    private IEnumerable<KeyValuePair<string, string>> Plan =>
    [
        new("evaluation rows", $"{_evaluation?.Fingerprint}"),
        new("eval-steps", $"{_arguments.EvaluationSteps}"),
        new("base evaluation", $"{_arguments.EvaluateFirst}"),
        new("token accuracy", $"{_arguments.MeasureTokenAccuracy}"),
        new("resume", $"{_arguments.Resume}"),
    ];

    /// <summary>Where the first process's checkpoint stood, with its parameters and state.</summary>
    private CheckpointInfo Shared(CheckpointInfo info)
    {
        if (Processes.Size == 1)
            return info;
        _subject.Runtime.Share();
        var told = Processes.FromFirst(JsonSerializer.Serialize(info.ToMetadata()));
        return CheckpointInfo.FromMetadata(JsonSerializer.Deserialize<Dictionary<string, string>>(told)!, "The checkpoint");
    }

    private CheckpointInfo Info(int step, double seconds) =>
        new(step, seconds, ArgumentsCheck.Identity(_arguments, _subject, TotalSteps, _train.Fingerprint))
        {
            BestMetric = _best.Metric,
        };

    private MetricsLog? OpenLog(int step)
    {
        if (Folder is not { } folder)
            return null;
        var path = Path.Combine(folder, MetricsLog.FileName);
        return _arguments.Resume ? MetricsLog.OpenForResume(path, step) : MetricsLog.Create(path);
    }

    private StepMetrics RunStep(int step, Stopwatch clock)
    {
        var tokens = _subject.Runtime.RunsBatchesInParts ? _arguments.MicroBatchTokens : 0;
        var batches = _batches.MicroBatches(step)
            .Select(Slice)
            .Select(Rows)
            .SelectMany(rows => MicroBatches.Split(rows, _train.LengthOf, _train.SupervisedTokensOf, tokens))
            .Select(rows => _train.Collate(rows))
            .Where(b => b.CountFor(_subject.VirtualTokens) > 0).ToArray();
        var rate = _arguments.LearningRate * _schedule.Factor(step);
        var result = new StepResult(0, 0);
        if (batches.Length > 0 || Processes.Size > 1)
        {
            result = _subject.Runtime.Step(step + 1, rate, batches);
            Check(double.IsFinite(result.Loss), step, $"the loss is {result.Loss}");
            Check(
                double.IsFinite(result.GradNorm ?? 0) || result.ScaleAfterSkip >= 1,
                step,
                $"the gradient's norm is {result.GradNorm}{(result.ScaleAfterSkip is null ? "" : " at a loss scale of 1")}");
        }

        _gradients.See(step + 1, result);

        var attended = Processes.Gather((long)batches.Sum(static b => b.Tokens)).Sum();
        var seconds = clock.Elapsed.TotalSeconds;
        return new StepMetrics
        {
            Step = step + 1,
            Epoch = _batches.EpochsAfter(step + 1),
            Loss = result.Loss,
            LearningRate = rate,
            GradNorm = result.ScaleAfterSkip is null ? result.GradNorm ?? double.NaN : double.NaN,
            IsSkipped = result.ScaleAfterSkip is not null,
            Tokens = attended,
            TokensPerSecond = attended / seconds,
            Seconds = seconds,
            CommunicationSeconds = result.Communication,
        };
    }

    /// <summary>This process's part of a batch.</summary>
    private ImmutableArray<int> Slice(ImmutableArray<int> batch)
    {
        var start = Math.Min(batch.Length, Processes.Rank * _arguments.BatchSize);
        return batch.Slice(start, Math.Min(_arguments.BatchSize, batch.Length - start));
    }

    /// <summary>The rows of a batch, which holds rows or packs of them.</summary>
    private ImmutableArray<int> Rows(ImmutableArray<int> batch) =>
        _packs is { } packs ? [.. batch.SelectMany(pack => packs[pack])] : batch;

    private void Check(bool isFinite, int step, string what)
    {
        if (isFinite)
            return;
        CheckBase();
        throw new TrainingFailedException(
            $"Step {step + 1}: {what}; {LastCheckpoint}. Try a lower learning rate or a longer warm-up"
            + $"{(_arguments.Precision == ProductPrecision.Fp16 ? ", or the precision bf16 or float32: float16 ends at 65504" : "")}.");
    }

    private string LastCheckpoint => _checkpoint is null
        ? "no checkpoint was written yet"
        : $"the last good checkpoint is {_checkpoint}";

    /// <summary>Refuses a base that changed under way: what was learned would belong to no base.</summary>
    private void CheckBase()
    {
        if (_subject.Files.FirstOrDefault(static f => f.HasChanged) is { } file)
        {
            throw new TrainingFailedException(
                $"{file.Path} was written to since training began, so nothing more is saved; {LastCheckpoint}. Put the "
                + "base back as it was, and leave it alone while training.");
        }
    }

    private bool IsDue(int? every, int step) =>
        step == TotalSteps || step % (every ?? _batches.StepsPerEpoch) == 0;

    private string? SaveCheckpoint(int step, double seconds)
    {
        CheckBase();
        return Folder is { } folder
            ? _checkpoint = _subject.Runtime.Save(folder, Info(step, seconds) with { Evaluations = _best.State }, _best.Weights)
            : null;
    }
}
