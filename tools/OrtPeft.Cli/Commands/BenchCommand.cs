using System.CommandLine;
using System.Globalization;
using OrtPeft.Adapters;
using OrtPeft.Cli.Bench;
using OrtPeft.Cli.Bench.Suite;
using OrtPeft.Cli.Data;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Options;
using OrtPeft.Cli.Reporting;
using OrtPeft.Models;

namespace OrtPeft.Cli.Commands;

/// <summary>Times training, or evaluation and generation, on this machine.</summary>
internal sealed class BenchCommand : Verb
{
    private const string Training = "training";
    private const string Inference = "inference";
    private const string Serving = "serving";

    private static readonly BenchmarkOptions Defaults = new() { VocabularySize = 1 };
    private static readonly InferenceBenchmarkOptions InferenceDefaults = new() { VocabularySize = 1 };

    private readonly ModelArgument _model = new();
    private readonly MethodOptions _method = new();

    private readonly Option<string> _what = new("--what")
    {
        Description = "training: training steps; inference: evaluation and generation with the plain model, with the "
            + "adapter, and with the adapter merged, in turn; serving: --batch-size requests at a time with the plain "
            + "model, with the adapter merged, and with 1, 8 and 64 such adapters beside the model.",
        HelpName = $"{Training}|{Inference}|{Serving}",
        DefaultValueFactory = static _ => Training,
    };

    private readonly Option<int> _batchSize = NumberOption.Of(
        "--batch-size", "Rows per batch.", "B", Defaults.BatchSize);

    private readonly Option<int> _sequenceLength = NumberOption.Of(
        "--seq-len", "Random tokens per row.", "S", Defaults.SequenceLength);

    private readonly Option<int> _steps = NumberOption.Of(
        "--steps", "Steps to time; with inference and serving, rounds.", "N", Defaults.Steps);

    private readonly Option<int> _warmup = NumberOption.Of(
        "--warmup-steps", "Steps to run before timing starts.", "N", Defaults.WarmupSteps);

    private readonly Option<double> _supervised = NumberOption.Of(
        "--supervised", "The fraction of each row, at its end, that has labels.", "FRACTION", Defaults.Supervised);

    private readonly SpeedOptions _speed = new();

    private readonly Option<bool> _profile = new("--profile")
    {
        Description = "With training: profile by operator and by part of the model.",
    };

    private readonly Option<int> _promptTokens = NumberOption.Of(
        "--prompt-tokens", "With inference and serving: prompt length.", "N", InferenceDefaults.PromptTokens);

    private readonly Option<int> _newTokens = NumberOption.Of(
        "--new-tokens", "With inference and serving: tokens to generate.", "N", InferenceDefaults.NewTokens);

    private readonly Option<bool> _suite = new("--suite")
    {
        Description = "Run a fixed set of benchmarks in processes of their own and print their tables as Markdown; "
            + "<model> is then a folder for their models, about 2 GB, which are made if missing.",
    };

    private readonly Option<int> _rounds = NumberOption.Of(
        "--rounds", "With --suite: how often each benchmark runs, in turn.", "N", 2);

    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public BenchCommand(Host host)
        : base(
            host,
            "bench",
            "Benchmark training steps on random tokens against this machine's peak matrix-multiply speed, or measure "
                + "an adapter's inference overhead.")
    {
        Examples =
        [
            "ortpeft bench gpt2-onnx --batch-size 4 --seq-len 128",
            "ortpeft bench gpt2-onnx --rank 8 --target c_attn --supervised 0.5 --threads 2 --json",
            "ortpeft bench gpt2-onnx --method prefix-tuning --profile",
            "ortpeft bench gpt2-onnx --what inference --rank 8 --prompt-tokens 64 --new-tokens 100",
            "ortpeft bench gpt2-onnx --what inference --init-adapter adapter",
            "ortpeft bench gpt2-onnx --what serving --rank 8 --batch-size 8",
            "ortpeft bench suite-models --suite --rounds 3 --threads 2",
        ];
        Notes = "gemm_fraction is the speed of the step's matrix products over that of one large product by itself.\n"
            + "× base is a variant's time over the plain model's in the same round, the median over rounds.";
        Arguments.Add(_model);
        foreach (var option in new Option[]
        {
            _what, _batchSize, _sequenceLength, _steps, _warmup, _supervised, _profile, _promptTokens, _newTokens,
            _suite, _rounds,
        })
        {
            Options.Add(option);
        }

        _what.Validators.Add(static result =>
        {
            if (result.Tokens is [.., { Value: not (Training or Inference or Serving) and var value }])
                result.AddError($"--what is '{value}'; it must be {Training}, {Inference} or {Serving}.");
        });
        Add(_speed);
        Add(_method);
    }

    protected override void Run(Invocation run)
    {
        if (run.Get(_suite))
        {
            RunSuite(run);
            return;
        }

        if (run.Has(_rounds))
            throw new UsageException($"{_rounds.Name} is for {_suite.Name}; leave it out, or add {_suite.Name}.");
        var isTraining = run.Get(_what) == Training;
        if (isTraining)
            RefuseOptionsOf(run, Inference, [_promptTokens, _newTokens]);
        else
            RefuseOptionsOf(run, Training, [_profile, .. _speed.Options]);
        if (run.Get(_what) == Serving)
            RefuseOptionsOf(run, $"{Training} and {Inference}", [_sequenceLength, _warmup, _supervised]);
        var started = run.Host.Clock.GetTimestamp();
        var choice = _method.Choose(run);
        var source = _model.Open(run);
        var peft = choice.Apply(source.Model, seed: 0);
        var loaded = run.Host.Clock.GetElapsedTime(started);
        run.Say(peft.DescribeTrainableParameters());
        run.Host.Interruption.Listen();
        if (isTraining)
            TimeTraining(run, source, peft, loaded);
        else if (run.Get(_what) == Serving)
            TimeServing(run, source, peft);
        else
            TimeInference(run, source, peft);
    }

    private void RunSuite(Invocation run)
    {
        Option[] allowed =
        [
            _suite, _rounds, _steps, .. Options.Where(static o => o.Name is "--threads" or "--json" or "--verbose"),
        ];
        if (Options.Except(allowed).FirstOrDefault(run.Has) is { } option)
            throw new UsageException($"{option.Name} is fixed in the suite's benchmarks; leave it out, or {_suite.Name}.");
        var rounds = run.Get(_rounds);
        if (rounds < 1)
            throw new UsageException($"{_rounds.Name} is {rounds}; it must be at least 1.");
        run.Host.Interruption.Listen();
        var suite = new SuiteRun(
            SuiteCases.All,
            run.Get(_model),
            ["--steps", Text(run.Get(_steps)), "--threads", Text(run.Runtime.Threads)],
            (arguments, turnedOff) => OwnCommand.Run(arguments, turnedOff, run.Host.Interruption.Token));
        SuiteReport.Write(run, suite.Run(rounds, run.Host.Error.WriteLine), SuiteCases.Ratios);

        static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
    }

    private void TimeTraining(Invocation run, ModelSource source, PeftModel peft, TimeSpan loaded)
    {
        _speed.Warn(run, peft.Model);
        var options = new BenchmarkOptions
        {
            BatchSize = run.Get(_batchSize),
            SequenceLength = FittingLength(run, source, peft),
            Steps = run.Get(_steps),
            WarmupSteps = run.Get(_warmup),
            Supervised = run.Get(_supervised),
            VocabularySize = source.VocabularySize ?? 1,
            Profile = run.Get(_profile),
            MicroBatchTokens = _speed.MicroBatchTokens(run),
            MemoryLimit = _speed.MemoryLimit(run),
            WithoutSpeedups = _speed.Without(run),
            Precision = _speed.Precision(run),
            Runtime = _speed.Runtime(run),
        };
        var result = TrainingBenchmark.Run(peft, options, progress: null, run.Host.Interruption.Token);
        TrainingBenchReport.Write(run, result, loaded.TotalSeconds + result.SessionSeconds);
    }

    private void TimeInference(Invocation run, ModelSource source, PeftModel peft)
    {
        var options = new InferenceBenchmarkOptions
        {
            BatchSize = run.Get(_batchSize),
            SequenceLength = FittingLength(run, source, peft),
            Supervised = run.Get(_supervised),
            PromptTokens = run.Get(_promptTokens),
            NewTokens = run.Get(_newTokens),
            Rounds = run.Get(_steps),
            WarmupRounds = run.Get(_warmup),
            VocabularySize = source.VocabularySize ?? 1,
            EvaluationRuntime = run.Runtime with { Prepacking = InferenceDefaults.EvaluationRuntime.Prepacking },
            GenerationRuntime = run.Runtime,
        };
        var (length, context) = ((long)options.PromptTokens + options.NewTokens, Context(source, peft));
        if (length > context)
        {
            throw new UsageException(
                $"--prompt-tokens and --new-tokens make {length}, and the model has {context} positions; take fewer.");
        }

        if (peft.HasBranches)
        {
            var way = PeftMethods.Of(peft.Config).Description.WhyNotMergeable is null ? "merged" : "without a cache";
            run.Note($"the graph chooses between branches at run time, so unmerged generation runs the adapter {way}.");
        }

        var result = InferenceBenchmark.Run(source.Model, peft, options, run.Host.Interruption.Token);
        InferenceBenchReport.Write(run, result, options.BatchSize * options.SequenceLength);
    }

    private void TimeServing(Invocation run, ModelSource source, PeftModel peft)
    {
        var (prompt, answer) = (Math.Max(1, run.Get(_promptTokens)), Math.Max(1, run.Get(_newTokens)));
        if ((long)prompt + answer > Context(source, peft))
        {
            throw new UsageException(
                $"--prompt-tokens and --new-tokens make {prompt + answer}, and the model has {Context(source, peft)} positions; "
                + "take fewer.");
        }

        var times = ServingBenchmark.Run(
            source.Model, peft, Math.Max(1, run.Get(_batchSize)), prompt, answer, Math.Max(1, run.Get(_steps)),
            source.VocabularySize ?? 1, run.Runtime, run.Host.Clock, run.Host.Interruption.Token);
        ServingBenchReport.Write(run, times);
    }

    private static void RefuseOptionsOf(Invocation run, string what, IEnumerable<Option> options)
    {
        if (options.FirstOrDefault(run.Has) is { } option)
            throw new UsageException($"{option.Name} is for --what {what}; leave it out, or add --what {what}.");
    }

    private int FittingLength(Invocation run, ModelSource source, PeftModel peft)
    {
        var length = run.Get(_sequenceLength);
        return Context(source, peft) is { } context && length > context
            ? throw new UsageException($"--seq-len is {length}, and the model has {context} positions; take fewer.")
            : length;
    }

    private static int? Context(ModelSource source, PeftModel peft) =>
        ModelLimits.ContextLength(source, peft.ReservedPositions);
}
