using System.CommandLine;
using System.Text.Json.Nodes;
using OrtPeft.Cli.Data;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Options;
using OrtPeft.Cli.Reporting;
using OrtPeft.Models;
using OrtPeft.Training.Benchmarks;

namespace OrtPeft.Cli.Commands;

/// <summary>Times training steps on this machine.</summary>
internal sealed class BenchCommand : Verb
{
    private static readonly BenchmarkOptions Defaults = new() { VocabularySize = 1 };

    private readonly ModelArgument _model = new();
    private readonly MethodOptions _method = new();

    private readonly Option<int> _batchSize = NumberOption.Of(
        "--batch-size", "Rows that go through the model at once.", "B", Defaults.BatchSize);

    private readonly Option<int> _sequenceLength = NumberOption.Of(
        "--seq-len", "Tokens of a row; they are random.", "S", Defaults.SequenceLength);

    private readonly Option<int> _steps = NumberOption.Of("--steps", "Steps that are timed.", "N", Defaults.Steps);

    private readonly Option<int> _warmup = NumberOption.Of(
        "--warmup-steps", "Steps before them that are not.", "N", Defaults.WarmupSteps);

    private readonly Option<double> _supervised = NumberOption.Of(
        "--supervised", "The part of each row, its end, that has labels.", "FRACTION", Defaults.Supervised);

    private readonly SpeedOptions _speed = new();

    private readonly Option<bool> _profile = new("--profile")
    {
        Description = "Show where the time goes, by operator and by part of the model.",
    };

    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public BenchCommand(Host host)
        : base(host, "bench", "Time training steps on random tokens, beside the machine's own matrix product.")
    {
        Examples =
        [
            "ortpeft bench gpt2-onnx --batch-size 4 --seq-len 128",
            "ortpeft bench gpt2-onnx --rank 8 --target c_attn --supervised 0.5 --threads 2 --json",
            "ortpeft bench gpt2-onnx --method prefix-tuning --profile",
        ];
        Notes = "gemm_fraction is the speed of the step's matrix products over that of one large product by itself.";
        Arguments.Add(_model);
        foreach (var option in new Option[] { _batchSize, _sequenceLength, _steps, _warmup, _supervised, _profile })
            Options.Add(option);
        Add(_speed);
        Add(_method);
    }

    protected override void Run(Invocation run)
    {
        var started = run.Host.Clock.GetTimestamp();
        var choice = _method.Choose(run);
        var source = _model.Open(run);
        var peft = choice.Apply(source.Model, seed: 0);
        var loaded = run.Host.Clock.GetElapsedTime(started);
        run.Say(peft.DescribeTrainableParameters());
        run.Host.Interruption.Listen();
        var options = new BenchmarkOptions
        {
            BatchSize = run.Get(_batchSize),
            SequenceLength = FittingLength(run, source, peft.ReservedPositions),
            Steps = run.Get(_steps),
            WarmupSteps = run.Get(_warmup),
            Supervised = run.Get(_supervised),
            VocabularySize = ModelLimits.VocabularySize(source) ?? 1,
            Profile = run.Get(_profile),
            MicroBatchTokens = _speed.MicroBatchTokens(run),
            WithoutSpeedups = _speed.Without(run),
            Runtime = _speed.Runtime(run),
        };
        var result = TrainingBenchmark.Run(peft, options, progress: null, run.Host.Interruption.Token);
        var load = loaded.TotalSeconds + result.SessionSeconds;
        Show(run, result, load);
        Answer(run, result, load);
    }

    private int FittingLength(Invocation run, ModelSource source, int reserved)
    {
        var length = run.Get(_sequenceLength);
        return ModelLimits.ContextLength(source, reserved) is { } context && length > context
            ? throw new UsageException($"--seq-len is {length}, and the model has {context} positions; take fewer.")
            : length;
    }

    private static void Show(Invocation run, BenchmarkResult result, double load)
    {
        var (median, least) = (result.MedianStepMilliseconds, result.LeastStepMilliseconds);
        run.Say(Line($"step        {median:F1} ms median, {least:F1} ms least, first {result.FirstStepSeconds:F2} s"));
        run.Say(Line($"speed       {result.TokensPerSecond:F0} tokens/s"));
        var (model, gemm) = (result.ModelGflops, result.GemmGflops);
        run.Say(Line($"products    {model:F1} of {gemm:F1} GFLOP/s: {result.GemmFraction:P0}"));
        run.Say(Line($"load        {load:F2} s"));
        run.Say($"peak memory {Human.Bytes(result.PeakResidentBytes)}");
        if (result.Profile is not { } profile)
            return;
        ShowGroup(run, "operator", profile.ByOperator);
        ShowGroup(run, "part", profile.ByPart);
    }

    private static void ShowGroup(Invocation run, string kind, IReadOnlyList<ProfileEntry> entries)
    {
        run.Say("");
        var rows = entries.Select(static e =>
            new[] { e.Name, Line($"{e.Milliseconds:F1}"), Line($"{e.Share:P1}"), Human.Count(e.Nodes) });
        foreach (var line in TextTable.Lines(rows.Prepend([kind, "ms/step", "share", "nodes"])))
            run.Say(line);
    }

    private static void Answer(Invocation run, BenchmarkResult result, double load) => run.Answer(new()
    {
        ["ms_per_step_median"] = result.MedianStepMilliseconds,
        ["ms_per_step_min"] = result.LeastStepMilliseconds,
        ["first_step_seconds"] = result.FirstStepSeconds,
        ["tokens_per_second"] = result.TokensPerSecond,
        ["peak_rss_mb"] = result.PeakResidentBytes / (1024.0 * 1024.0),
        ["gemm_gflops"] = result.GemmGflops,
        ["model_gflops"] = result.ModelGflops,
        ["gemm_fraction"] = result.GemmFraction,
        ["load_seconds"] = load,
        ["last_loss"] = Finite.OrNull(result.LastLoss),
        ["profile"] = result.Profile is { } profile
            ? new JsonObject { ["ops"] = Json(profile.ByOperator), ["parts"] = Json(profile.ByPart) }
            : null,
    });

    private static JsonArray Json(IReadOnlyList<ProfileEntry> entries) => [.. entries.Select(static e => new JsonObject
    {
        ["name"] = e.Name,
        ["ms_per_step"] = e.Milliseconds,
        ["share"] = e.Share,
        ["nodes"] = e.Nodes,
    })];

    private static string Line(FormattableString text) => FormattableString.Invariant(text);
}
