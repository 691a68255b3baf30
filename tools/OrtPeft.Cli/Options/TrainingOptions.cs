using System.CommandLine;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Reporting;
using OrtPeft.Training;

namespace OrtPeft.Cli.Options;

/// <summary>How to train; defaults are <see cref="TrainingArguments"/>'s.</summary>
internal sealed class TrainingOptions : IOptionGroup
{
    private const string Best = "best";

    private static readonly TrainingArguments Defaults = new();

    private readonly Option<string?> _evaluationFile = new("--eval-data")
    {
        Description = "Held-out rows, for the evaluation loss during training.",
        HelpName = "FILE",
    };

    private readonly Option<double?> _validationSplit = NumberOption.Optional<double>(
        "--val-split", "Share of the rows to hold out for evaluation, drawn by --seed; instead of --eval-data.", "X");

    private readonly Option<bool> _noBaseEvaluation = new("--no-base-eval")
    {
        Description = "Do not evaluate before the first step.",
    };

    private readonly Option<int?> _patience = NumberOption.Optional<int>(
        "--patience", "Stop early after N evaluations without a better --metric. [default: never]", "N");

    private readonly Option<double> _minDelta = NumberOption.Of(
        "--min-delta", "How much better an evaluation's --metric must be to count for --patience.", "X", Defaults.MinDelta);

    private readonly Option<string> _keep = new Option<string>("--keep")
    {
        Description = "Which adapter to keep: of the evaluation with the best --metric, or of the last step.",
        HelpName = $"{Best}|last",
        DefaultValueFactory = static _ => Best,
    }.AcceptOnlyFromAmong(Best, "last");

    private readonly Option<bool> _packing = new("--packing")
    {
        Description = "Pack rows: --batch-size then counts packs of rows with --seq-len tokens in all (by default "
            + "the model's context). Rows of a pack are computed separately and never attend to each other.",
    };

    private readonly Option<double> _epochs = NumberOption.Of(
        "--epochs", "Passes over the data; may be fractional.", "E", Defaults.Epochs);

    private readonly Option<int?> _steps = NumberOption.Optional<int>(
        "--steps", "Number of optimizer steps, instead of --epochs.", "N");

    private readonly Option<int> _accumulation = NumberOption.Of(
        "--grad-accum", "Batches to accumulate gradients over before each step.", "G", Defaults.GradientAccumulation);

    private readonly Option<double> _learningRate = NumberOption.Of(
        "--lr", "Peak learning rate.", "X", Defaults.LearningRate);

    private readonly Option<double> _loraPlusRatio = NumberOption.Of(
        "--loraplus-lr-ratio", "LoRA+: ratio of B's learning rate to A's.", "X", Defaults.LoraPlusRatio);

    private readonly Option<double?> _loraPlusEmbeddingRate = NumberOption.Optional<double>(
        "--loraplus-lr-embedding", "LoRA+: peak learning rate of LoRA at embeddings. [default: as elsewhere]", "X");

    private readonly Option<bool> _noBiasDecay = new("--no-bias-decay")
    {
        Description = "Leave biases and norms out of weight decay, as HF's Trainer does.",
    };

    private readonly ScheduleOptions _schedule = new();

    private readonly OptimizerOptions _optimizer = new();

    private readonly Option<long> _seed = NumberOption.Of(
        "--seed", "Random seed for new weights, row order and dropout.", "N", Defaults.Seed);

    private readonly Option<bool> _noShuffle = new("--no-shuffle")
    {
        Description = "Keep the rows in file order.",
    };

    private readonly Option<bool> _noBaseDropout = new("--no-base-dropout")
    {
        Description = "Turn off the dropout of a graph exported in training mode; "
            + "by default it is active, as in HF's trainers.",
    };

    private readonly Option<double?> _noise = NumberOption.Optional<double>(
        "--neftune-noise-alpha", "NEFTune: train with noise of this size on the embeddings, such as 5.", "X");

    private readonly Option<int?> _evaluationSteps = NumberOption.Optional<int>(
        "--eval-steps", "Evaluate every N steps. [default: every epoch]", "N");

    private readonly Option<int?> _checkpointSteps = NumberOption.Optional<int>(
        "--checkpoint-steps", "Save a checkpoint every N steps. [default: every epoch]", "N");

    public SpeedOptions Speed { get; } = new();

    public ExaminationOptions Examination { get; } = new();

    private readonly Option<bool> _resume = new("--resume") { Description = "Continue from the checkpoint in --out." };

    public IEnumerable<Option> Options =>
    [
        _evaluationFile, _validationSplit, _noBaseEvaluation, _patience, _minDelta, _keep, .. Examination.Options,
        _packing, _epochs, _steps, _accumulation, _learningRate, _loraPlusRatio, _loraPlusEmbeddingRate, _noBiasDecay,
        .. _schedule.Options, .. _optimizer.Options, _seed, _noShuffle, _noBaseDropout, _noise,
        _evaluationSteps, _checkpointSteps, _resume, .. Speed.Options,
    ];

    public string? EvaluationFile(Invocation run) => run.Get(_evaluationFile);

    /// <summary>The share of rows to hold out; null where the option is absent.</summary>
    public double? ValidationSplit(Invocation run) => run.Get(_validationSplit);

    /// <summary>Whether there are rows to evaluate on.</summary>
    public bool Evaluates(Invocation run) => run.Has(_validationSplit) || run.Has(_evaluationFile);

    public bool Resumes(Invocation run) => run.Get(_resume);

    public long Seed(Invocation run) => run.Get(_seed);

    public bool Packs(Invocation run) => run.Get(_packing);

    /// <summary>Reads the options.</summary>
    /// <param name="run">The run.</param>
    /// <param name="batchSize">Rows per batch.</param>
    /// <param name="folder">Receives metrics and checkpoints.</param>
    public TrainingArguments Read(Invocation run, int batchSize, string folder)
    {
        if (run.Has(_steps) && run.Has(_epochs))
            throw new UsageException("--steps and --epochs both say how long to train; give one of them.");
        if (run.Has(_validationSplit) && run.Has(_evaluationFile))
            throw new UsageException("--val-split and --eval-data both say what to evaluate on; give one of them.");
        if (ValidationSplit(run) is not (null or (> 0 and < 1)))
            throw new UsageException($"--val-split is {Human.Plain(ValidationSplit(run)!.Value)}; it must be between 0 and 1.");
        _ = Examination.Wanted(run);
        if (!Evaluates(run) && IdleIn(run) is { } idle)
            throw new UsageException($"{idle.Name} needs rows to evaluate on; give --eval-data or --val-split too.");
        var arguments = Defaults with
        {
            Epochs = run.Get(_epochs),
            MaxSteps = run.Get(_steps),
            BatchSize = batchSize,
            GradientAccumulation = run.Get(_accumulation),
            LearningRate = run.Get(_learningRate),
            LoraPlusRatio = run.Get(_loraPlusRatio),
            LoraPlusEmbeddingRate = run.Get(_loraPlusEmbeddingRate),
            DecayBiasesAndNorms = !run.Get(_noBiasDecay),
            Optimizer = _optimizer.Read(run),
            Seed = Seed(run),
            Shuffle = !run.Get(_noShuffle),
            BaseDropout = !run.Get(_noBaseDropout),
            NeftuneNoiseAlpha = run.Get(_noise),
            EvaluationSteps = run.Get(_evaluationSteps),
            EvaluateFirst = !run.Get(_noBaseEvaluation),
            Patience = run.Get(_patience),
            MinDelta = run.Get(_minDelta),
            KeepBest = run.Get(_keep) == Best,
            CheckpointSteps = run.Get(_checkpointSteps),
            OutputFolder = folder,
            Resume = Resumes(run),
            MicroBatchTokens = Speed.MicroBatchTokens(run),
            MemoryLimit = Speed.MemoryLimit(run),
            WithoutSpeedups = Speed.Without(run),
            Precision = Speed.Precision(run),
            Runtime = Speed.Runtime(run),
        };
        arguments = _schedule.ApplyTo(Examination.AddTo(arguments, run), run);
        arguments.Validate();
        if (arguments.LearningRate == 0)
            run.Warn("--lr is 0, so nothing will be learned.");
        return arguments;
    }

    /// <summary>An option that would do nothing without rows to evaluate on; null where none is given.</summary>
    private Option? IdleIn(Invocation run)
    {
        Option[] ofAnswers = Examination.Prompts(run).Count > 0 ? [] : [_evaluationSteps, _noBaseEvaluation];
        return new Option[] { _patience, _minDelta, _keep }.Concat(ofAnswers).FirstOrDefault(run.Has)
            ?? Examination.OfHeldOutRows(run);
    }
}
