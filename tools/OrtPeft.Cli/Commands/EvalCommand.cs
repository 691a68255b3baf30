using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using OrtPeft.Adapters;
using OrtPeft.Cli.Data;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Files;
using OrtPeft.Cli.Options;
using OrtPeft.Cli.Reporting;
using OrtPeft.Cli.Runs;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Inference.Generation;
using OrtPeft.Models;
using OrtPeft.Tensors.Storage;
using OrtPeft.Tokenizers;
using OrtPeft.Training;
using OrtPeft.Training.Answers;
using OrtPeft.Training.Data;

namespace OrtPeft.Cli.Commands;

/// <summary>Measures the loss on rows, and what is answered to them.</summary>
internal sealed class EvalCommand : Verb
{
    private const int Shown = 3;

    private static readonly JsonSerializerOptions Line = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly ModelArgument _model = new();
    private readonly AdapterOption _adapter = new();
    private readonly DataOptions _data = new();

    private readonly Option<bool> _generate = new("--generate")
    {
        Description = "Answer each row's prompt too, greedily, and score the answers: exact match, ROUGE-L, JSON validity.",
    };

    private readonly Option<int?> _rows = NumberOption.Optional<int>(
        "--metric-rows", "Answer this many rows, drawn by --seed. [default: all]", "N");

    private readonly Option<long> _seed = NumberOption.Of("--seed", "Random seed for --metric-rows.", "N", 0L);

    private readonly Option<int?> _newTokens = NumberOption.Optional<int>(
        "--max-new-tokens", "The longest answer. [default: the longest that rows expect and 16 more]", "N");

    private readonly Option<string?> _answers = new("--answers")
    {
        Description = "Write prompt, expected answer, answer and scores of each row to this JSON Lines file.",
        HelpName = "FILE",
    };

    private readonly Option<string?> _compare = new("--compare")
    {
        Description = $"Measure several on the same rows in one table: adapters' folders, and {EvaluatedModel.Base} for the "
            + "model alone.",
        HelpName = "A,B,…",
    };

    private readonly Option<bool> _accuracy = new("--token-accuracy")
    {
        Description = "Count the supervised tokens that the model finds likeliest too.",
    };

    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public EvalCommand(Host host)
        : base(host, "eval", "Measure loss and perplexity on a data set, score generated answers, or compare adapters.")
    {
        Examples =
        [
            "ortpeft eval gpt2-onnx --data held-out.jsonl",
            "ortpeft eval gpt2-onnx --adapter adapter --data held-out.jsonl --json",
            "ortpeft eval gpt2-onnx --adapter style --adapter task --data held-out.jsonl",
            "ortpeft eval gpt2-onnx --adapter adapter --data held-out.jsonl --generate --answers answers.jsonl",
            "ortpeft eval gpt2-onnx --data held-out.jsonl --compare base,rank-4,rank-8 --generate",
            "ortpeft eval gpt2-onnx --data arc.jsonl --compare base,adapter",
        ];
        Notes =
            "Rows with choices and an answer, as in public benchmarks, are multiple choice: acc counts rows whose right\n"
            + "choice is the likeliest after the prompt, acc_norm those where it is by its log-likelihood per character, as\n"
            + "in lm-evaluation-harness. A question is asked as \"Question: …\" and \"Answer:\"; a prompt stays as it is.";
        Arguments.Add(_model);
        Options.Add(_adapter);
        Add(_data);
        Options.Add(_compare);
        Options.Add(_generate);
        Options.Add(_rows);
        Options.Add(_seed);
        Options.Add(_newTokens);
        Options.Add(_answers);
        Options.Add(_accuracy);
    }

    protected override void Run(Invocation run)
    {
        var files = _data.Files(run);
        Check(run);
        var hasChoices = files.Count > 0 && ChoiceRow.AreIn(files[0]);
        if (hasChoices && (run.Get(_generate) || run.Get(_accuracy)))
        {
            throw new UsageException(
                $"{files[0]} has rows with choices, which are scored by likelihood; leave out --generate and "
                + "--token-accuracy.");
        }

        if (run.Has(_answers) && !hasChoices && !run.Get(_generate))
            throw new UsageException("--answers is for answers; give --generate too, or rows with choices.");
        if (run.Get(_answers) is { } folder && Directory.Exists(folder))
            throw new UsageException($"--answers {folder} is a folder; give a file.");
        var source = _model.Open(run);
        var models = Models(run, source);
        AccuracyNote.Warn(run, source, isAsGiven: models.All(static m => m.Adapted is null));
        var reserved = models.Max(static m => m.Adapted?.ReservedPositions ?? 0);
        var results = hasChoices
            ? Choose(run, source, models, files, reserved)
            : Measure(run, source, models, reserved);
        if (run.Get(_answers) is { } path)
            Write(run, path, results);
        if (results.FirstOrDefault(static r => r.Loss is { } loss && !double.IsFinite(loss.Loss)) is { Loss: { } loss })
        {
            throw new ResultException(
                $"The loss over {Human.Count(loss.Count, "token")} is {Human.Plain(loss.Loss)}; the weights of "
                + "model or adapter hold values that are not numbers, or overflow in float32.");
        }
    }

    private void Check(Invocation run)
    {
        if (run.Has(_compare) && run.Has(_adapter))
            throw new UsageException("--compare names adapters itself; leave out --adapter.");
        if (run.Get(_rows) is < 1)
            throw new UsageException($"--metric-rows is {Human.Plain(run.Get(_rows)!.Value)}; it must be 1 or more.");
        Option[] ofAnswers = [_rows, _newTokens];
        if (!run.Get(_generate) && ofAnswers.FirstOrDefault(run.Has) is { } idle)
            throw new UsageException($"{idle.Name} is for answers; give --generate too.");
    }

    /// <summary>The models to measure; adapters are read before anything is measured.</summary>
    private List<EvaluatedModel> Models(Invocation run, ModelSource source)
    {
        if (run.Get(_compare) is not { } list)
            return [new("", _adapter.LoadOn(source.Model, run))];
        var names = list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        string[] folders = [.. names.Where(static name => name != EvaluatedModel.Base)];
        if (names.Length < 2 || names.Length - folders.Length > 1)
            throw new UsageException($"--compare is '{list}'; give two or more, such as base,adapter-a,adapter-b.");
        var places = new Queue<AdapterPlace>(folders.Length == 0 ? [] : AdapterPlace.Of("--compare", folders));
        return [.. names.Select(name => name == EvaluatedModel.Base
            ? new EvaluatedModel(EvaluatedModel.Base, null)
            : Loaded(places.Dequeue()))];

        EvaluatedModel Loaded(AdapterPlace place) => new(place.Name, AdapterOption.Load(source.Model, [place], run));
    }

    private EvaluatedModel[] Measure(Invocation run, ModelSource source, List<EvaluatedModel> models, int reserved)
    {
        var rows = _data.Read(run, source, reserved);
        var asked = run.Get(_generate) ? Asked(run, rows) : [];
        var results = new List<EvaluatedModel>();
        foreach (var model in models)
        {
            var started = run.Host.Clock.GetTimestamp();
            var result = model with { Loss = Evaluate(run, source, model, rows, objective: null) };
            if (run.Get(_accuracy))
                result = result with { TokenAccuracy = Evaluate(run, source, model, rows, new TokenAccuracy()).Loss };
            if (asked.Count > 0)
                result = result with { Answers = Answer(run, source, model, asked, reserved) };
            results.Add(result with { Seconds = run.Host.Clock.GetElapsedTime(started).TotalSeconds });
        }

        Say(run, results, rows.Count);
        return [.. results];
    }

    private EvaluationResult Evaluate(
        Invocation run, ModelSource source, EvaluatedModel model, IReadOnlyList<Example> rows, IObjective? objective)
    {
        using var evaluator = Open(run, source, model, objective);
        return evaluator.Evaluate(new TokenDataset(rows), _data.BatchSize(run));
    }

    private static Evaluator Open(Invocation run, ModelSource source, EvaluatedModel model, IObjective? objective)
    {
        var runtime = run.Runtime with { Prepacking = false };
        return model.Adapted is { } adapted
            ? new Evaluator(adapted, runtime, objective)
            : new Evaluator(source.Model, runtime, objective);
    }

    private List<AnswerRow> Asked(Invocation run, IReadOnlyList<Example> rows)
    {
        AnswerRow[] asked = [.. rows.Select(AnswerRow.Of).OfType<AnswerRow>()];
        if (asked.Length == 0)
        {
            throw new UsageException(
                "No row has a prompt before what is learned, so there is nothing to answer; --generate needs rows of prompt "
                + "and completion, or conversations.");
        }

        if (asked.Length < rows.Count)
            run.Note($"{Human.Count(rows.Count - asked.Length, "row")} without a prompt are not answered.");
        return run.Get(_rows) is { } count && count < asked.Length
            ? [.. Drawn.Of(asked.Length, count, run.Get(_seed), "metrics").Select(i => asked[i])]
            : [.. asked];
    }

    private List<ScoredAnswer> Answer(
        Invocation run, ModelSource source, EvaluatedModel model, List<AnswerRow> asked, int reserved)
    {
        var tokenizer = TokenizerOf(run, source);
        using var generator = Generator.Open(model.Adapted?.ForInference() ?? source.Model, run.Runtime);
        return [.. AnswerExam.Take(generator, tokenizer, asked, new GenerationOptions
        {
            MaxNewTokens = run.Get(_newTokens) ?? AnswerExam.TokensFor(asked),
            ContextLength = ModelLimits.ContextLength(source, reserved),
            EosTokenId = source.EndOfText(tokenizer.EndOfTextId),
            StopTokenIds = source.StopTokenIds,
        })];
    }

    private EvaluatedModel[] Choose(
        Invocation run, ModelSource source, List<EvaluatedModel> models, IReadOnlyList<string> files, int reserved)
    {
        ChoiceRow[] rows = [.. files.SelectMany(ChoiceRow.Read)];
        var (tokenizer, context) = (TokenizerOf(run, source), ModelLimits.ContextLength(source, reserved));
        var results = new List<EvaluatedModel>();
        foreach (var model in models)
        {
            var started = run.Host.Clock.GetTimestamp();
            using var evaluator = Open(run, source, model, objective: null);
            ChoiceScore[] scores = [.. rows.Select(row => ChoiceScore.Of(row, evaluator, tokenizer, context))];
            var seconds = run.Host.Clock.GetElapsedTime(started).TotalSeconds;
            results.Add(model with { Choices = scores, Seconds = seconds });
        }

        if (results[0].Choices.Count(static c => c.IsCut) is > 0 and var cut)
            run.Warn($"{Human.Count(cut, "prompt")} longer than the model's context lost their beginnings.");
        Say(run, results, rows.Length);
        return [.. results];
    }

    private ITokenizer TokenizerOf(Invocation run, ModelSource source) => _data.Tokenizer.Find(run, source)
        ?? throw new UsageException(
            $"{source.Folder} holds no tokenizer, which answers need; name its folder with --tokenizer.");

    private static void Say(Invocation run, List<EvaluatedModel> results, int rows)
    {
        if (results is [{ Name: "" } only])
            SayOne(run, only, rows);
        else
            SayTable(run, results, rows);
    }

    private static void SayOne(Invocation run, EvaluatedModel result, int rows)
    {
        var values = string.Join(", ", result.Measures.Select(static m => $"{m.Name} {Human.Loss(m.Value)}"));
        var tokens = result.Loss is { } loss ? $"{Human.Count(loss.Count, "token")} of " : "";
        run.Say($"{values} over {tokens}{Human.Count(rows, "row")} in {Human.Time(TimeSpan.FromSeconds(result.Seconds))}");
        foreach (var answer in result.Answers.Take(Shown))
            run.Say($"prompt: {TrainingReport.OneLine(answer.Prompt)}\n  expected: {TrainingReport.OneLine(answer.Expected ?? "")}\n"
                + $"  answer: {TrainingReport.OneLine(answer.Text)} (ROUGE-L {Human.Loss(answer.RougeL)})");
        if (result.Answers.Count > Shown)
            run.Say($"These are {Shown} of {Human.Count(result.Answers.Count, "answer")}; --answers FILE writes all.");
        run.Answer(Document(result, rows));
    }

    private static void SayTable(Invocation run, List<EvaluatedModel> results, int rows)
    {
        string[] heads = ["model", .. results[0].Measures.Select(static m => m.Name), "time"];
        foreach (var line in TextTable.Lines(results.Select(Cells).Prepend(heads)))
            run.Say(line);
        run.Say($"All on the same {Human.Count(rows, "row")}.");
        run.Answer(new()
        {
            ["rows"] = rows,
            ["models"] = new JsonArray([.. results.Select(result =>
            {
                var document = Document(result, rows);
                document.Insert(0, "model", result.Name);
                return (JsonNode)document;
            })]),
        });
    }

    private static string[] Cells(EvaluatedModel result) =>
    [
        result.Name,
        .. result.Measures.Select(static m => Human.Loss(m.Value)),
        Human.Time(TimeSpan.FromSeconds(result.Seconds)),
    ];

    private static JsonObject Document(EvaluatedModel result, int rows)
    {
        var document = new JsonObject();
        result.AddTo(document, rows);
        if (result.Answers.Count + result.Choices.Count > 0)
            document["answers"] = new JsonArray([.. result.Rows()]);
        return document;
    }

    /// <summary>A line for each answer, of all models one after another.</summary>
    private static void Write(Invocation run, string path, EvaluatedModel[] results)
    {
        var lines = results.SelectMany(result => result.Rows().Select(row =>
        {
            if (result.Name.Length > 0)
                row.Insert(0, "model", result.Name);
            return row.ToJsonString(Line);
        }));
        AtomicFile.Write(path, string.Concat(lines.Select(static line => line + "\n")));
        run.Say($"Wrote {path}.");
    }
}
