using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using OrtPeft.Artifacts;
using OrtPeft.Cli.Config;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Options;
using OrtPeft.Cli.Reporting;
using OrtPeft.Cli.Sweeps;
using OrtPeft.Models;
using OrtPeft.Tensors.Storage;
using OrtPeft.Training;
using OrtPeft.Training.Metrics;
using OrtPeft.Training.Reports;

namespace OrtPeft.Cli.Commands;

/// <summary>Trains with many settings.</summary>
internal sealed class SweepCommand : Verb
{
    private const string LogFile = "sweep.jsonl";
    private const string CommonFile = "common.yaml";
    private const string PageFile = "sweep.html";

    private readonly Host _host;

    private readonly Argument<string> _file = new("file")
    {
        Description = "A run's file, as for train --config, with a key sweep: keys and the values to try.",
    };

    private readonly Option<string> _out = new("--out")
    {
        Description = "The folder to write to: a folder for each run, and a page that compares them.",
        HelpName = "DIR",
        Required = true,
    };

    private readonly Option<int?> _runs = NumberOption.Optional<int>(
        "--runs", "Draw so many combinations by --seed. [default: all combinations of lists]", "N");

    private readonly Option<long> _seed = NumberOption.Of("--seed", "Random seed for --runs.", "N", 0L);

    private readonly Option<bool> _resume = new("--resume") { Description = "Continue the sweep in --out." };

    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public SweepCommand(Host host)
        : base(host, "sweep", "Train with many settings, one run after another, and compare the runs.")
    {
        _host = host;
        Examples =
        [
            "ortpeft sweep run.yaml --out sweep",
            "ortpeft sweep run.yaml --out sweep --runs 20 --seed 1",
            "ortpeft sweep run.yaml --out sweep --resume",
        ];
        Notes =
            "A file such as\n"
            + "  model: gpt2-onnx\n"
            + "  data: train.jsonl\n"
            + "  val-split: 0.1\n"
            + "  sweep:\n"
            + "    lr: [1e-4, 3e-4, 1e-3]\n"
            + "    rank: [4, 8]\n"
            + "trains six times. With --runs a key may have a range too: lr: {min: 1e-5, max: 1e-2, log: true}. A run that\n"
            + "fails, as at too high a rate, is noted and the next one follows.";
        Arguments.Add(_file);
        Options.Add(_out);
        Options.Add(_runs);
        Options.Add(_seed);
        Options.Add(_resume);
    }

    protected override void Run(Invocation run)
    {
        var (folder, train) = (run.Get(_out), new TrainCommand(_host).Completed());
        var file = SweepFile.Read(run.Get(_file), train);
        var runs = Plan(run, file);
        var done = Begin(run, folder, file, runs);
        var first = runs.Select(r => CommandLine.Parse(Words(r, folder, train, isResumed: false), _host)).ToArray()[0];
        var model = first.GetValue<string>("model")!;
        var held = File.Exists(Path.Combine(model, ArtifactManifest.FileName)) ? null : ModelSource.Open(model);
        run.Say($"sweep: {Human.Count(runs.Count, "run")} over {string.Join(", ", file.Keys.Select(static k => k.Key))}");
        if (file.Keys.Any(static k => k.Key == "seed") && first.GetResult("--val-split") is not null)
            run.Warn("--seed draws the rows of --val-split, so that runs are measured on different rows; give eval-data instead.");
        foreach (var planned in runs.Where(r => done.All(d => d.Number != r.Number)))
            done.Add(Train(run, planned, runs.Count, folder, train));
        GC.KeepAlive(held); // its files stay mapped from run to run
        Conclude(run, folder, [.. done.OrderBy(static r => r.Number)]);
    }

    private IReadOnlyList<SweepRun> Plan(Invocation run, SweepFile file)
    {
        if (run.Get(_runs) is < 1)
            throw new UsageException($"--runs is {Human.Plain(run.Get(_runs)!.Value)}; it must be 1 or more.");
        var values = run.Get(_runs) is { } count
            ? SweepPlan.Random(file.Keys, count, run.Get(_seed))
            : SweepPlan.Grid(file.Keys);
        if (values.Count < run.Get(_runs))
            run.Note($"There are {Human.Count(values.Count, "combination")} and no more.");
        return [.. values.Select((run, i) => new SweepRun(
            i + 1, [.. file.Keys.Zip(run, static (key, value) => KeyValuePair.Create(key.Key, value))]))];
    }

    /// <summary>Makes the folder ready.</summary>
    /// <returns>The runs that are done already.</returns>
    private List<SweepRun> Begin(Invocation run, string folder, SweepFile file, IReadOnlyList<SweepRun> runs)
    {
        var (log, common) = (Path.Combine(folder, LogFile), Path.Combine(folder, CommonFile));
        if (!run.Get(_resume))
        {
            if (File.Exists(folder))
                throw new UsageException($"--out {folder} is a file; give a folder.");
            if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
            {
                var advice = File.Exists(log) ? ", or --resume to continue that sweep" : "";
                throw new UsageException($"--out {folder} is not empty; give another folder{advice}.");
            }

            Directory.CreateDirectory(folder);
            AtomicFile.Write(common, file.Common);
            AtomicFile.Write(log, "");
            return [];
        }

        if (!File.Exists(log) || !File.Exists(common))
            throw new UsageException($"{log} is missing, so nothing can be resumed; sweep without --resume.");
        if (File.ReadAllText(common) != file.Common)
            throw new UsageException($"The sweep in {folder} began with another file; give that one, or another --out.");
        List<SweepRun> done = [.. File.ReadLines(log).Where(static l => l.Length > 0).Select((line, i) =>
            SweepRun.Parse(line, string.Create(CultureInfo.InvariantCulture, $"{log}:{i + 1}")))];
        return done.FirstOrDefault(d => !runs.Any(r => r.IsSameAs(d))) is { } other
            ? throw new UsageException(
                $"The sweep in {folder} had {other.Name} with {other.Description}, which this one has not; give the same file, "
                + "--runs and --seed, or another --out.")
            : done;
    }

    private SweepRun Train(Invocation run, SweepRun planned, int count, string folder, Command train)
    {
        var home = Path.Combine(folder, planned.Name);
        run.Say(string.Create(CultureInfo.InvariantCulture, $"\n{planned.Name} of {count}: {planned.Description}"));
        using var error = new StringWriter(CultureInfo.InvariantCulture);
        var host = new Host
        {
            Output = run.IsJson ? TextWriter.Null : _host.Output,
            Error = error,
            Terminal = run.IsJson ? null : _host.Terminal,
            Width = _host.Width,
            Interruption = _host.Interruption,
            Clock = _host.Clock,
        };
        var isBegun = Trainer.CheckpointFiles.Any(name => File.Exists(Path.Combine(home, name)));
        var code = CommandLine.Run(Words(planned, folder, train, isBegun), host);
        var said = error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        foreach (var line in code == 0 ? said : said[..^1])
            _host.Error.WriteLine(line);
        if (code == ErrorReport.Interrupted)
            throw new InterruptedException($"Interrupted in {planned.Name}; continue with the same command and --resume.");
        var last = said.Length > 0 ? said[^1].Replace("ortpeft: ", "", StringComparison.Ordinal) : "";
        if (code == ErrorReport.BadInput)
            throw new UsageException($"{planned.Name} ({planned.Description}): {last}");
        var ended = planned with { Error = code == 0 ? null : last };
        if (ended.Error is not null)
            run.Say($"{planned.Name} failed: {ended.Error}");
        File.AppendAllText(Path.Combine(folder, LogFile), ended.ToLine() + "\n");
        return ended;
    }

    private static List<string> Words(SweepRun run, string folder, Command train, bool isResumed)
    {
        var flags = train.Options.Where(RunKeys.IsFlag).Select(static o => o.Name).ToHashSet(StringComparer.Ordinal);
        return
        [
            "train", RunFile.Option, Path.Combine(folder, CommonFile), .. run.Words(key => flags.Contains($"--{key}")), "--out",
            Path.Combine(folder, run.Name), .. isResumed ? ["--resume"] : Array.Empty<string>(),
        ];
    }

    /// <summary>The table, the best run first, and the page.</summary>
    private static void Conclude(Invocation run, string folder, IReadOnlyList<SweepRun> runs)
    {
        var records = runs.Where(r => File.Exists(Path.Combine(folder, r.Name, MetricsLog.FileName)))
            .Select(r => (Run: r, Record: RunRecord.Open(Path.Combine(folder, r.Name), RunFile.FileName))).ToArray();
        var metric = records.Select(static r => r.Record.Metric).FirstOrDefault() ?? EvaluationMetric.All[0];
        var hasEvaluations = records.Any(static r => r.Record.Best is not null);
        var ranked = records.Where(static r => r.Run.Error is null).ToList();
        ranked.Sort((a, b) => metric.IsBetter(Value(a.Record), Value(b.Record)) ? -1
            : metric.IsBetter(Value(b.Record), Value(a.Record)) ? 1
            : a.Run.Number.CompareTo(b.Run.Number));
        AtomicFile.Write(Path.Combine(folder, PageFile), ComparisonPage.Of(
            [.. ranked.Concat(records.Where(static r => r.Run.Error is not null)).Select(static r =>
                r.Record with { Name = $"{r.Run.Name}: {r.Run.Description}{(r.Run.Error is null ? "" : " (failed)")}" })]));
        string[] keys = [.. runs[0].Settings.Select(static s => s.Key)];
        var what = hasEvaluations ? $"best {metric.Title}" : "training loss";
        run.Say("");
        foreach (var line in TextTable.Lines(ranked
            .Select(r => (string[])[r.Run.Name, .. r.Run.Settings.Select(static s => s.Value), Human.Loss(Value(r.Record)), Step(r.Record)])
            .Prepend(["run", .. keys, what, hasEvaluations ? "at step" : "steps"])))
            run.Say(line);
        if (!hasEvaluations)
            run.Note("Without rows to evaluate on the order is that of the training loss, which says little; give eval-data or val-split.");
        var failed = runs.Count(static r => r.Error is not null);
        if (failed > 0)
            run.Say($"{Human.Count(failed, "run")} failed.");
        run.Say($"Wrote {Path.Combine(folder, PageFile)}.");
        run.Answer(new()
        {
            ["html"] = Path.Combine(folder, PageFile),
            ["metric"] = hasEvaluations ? metric.Name : "training-loss",
            ["best"] = ranked.Count > 0 ? ranked[0].Run.Name : null,
            ["runs"] = new JsonArray([.. runs.Select(r => (JsonNode)new JsonObject
            {
                ["run"] = r.Name,
                ["settings"] = new JsonObject(r.Settings.Select(static s => KeyValuePair.Create(s.Key, (JsonNode?)s.Value))),
                ["value"] = ranked.Where(x => x.Run == r).Select(x => Finite.OrNull(Value(x.Record))).FirstOrDefault(),
                ["error"] = r.Error,
            })]),
        });
        if (failed == runs.Count)
            throw new ResultException($"All of the {Human.Count(failed, "run")} failed; the first: {runs[0].Error}");

        double Value(RunRecord record) => !hasEvaluations ? record.FinalLoss
            : record.Best is { } best ? metric.Of(best) : double.NaN;

        string Step(RunRecord record) => Human.Count(
            hasEvaluations ? record.Best?.Step ?? 0 : record.History.LastStep);
    }
}
