using OrtPeft.Adapters;
using OrtPeft.Cli.Data;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Options;
using OrtPeft.Inference.Generation;
using OrtPeft.Models;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Text;
using OrtPeft.Tokenizers;
using OrtPeft.Tokenizers.Chat;
using OrtPeft.Training;
using OrtPeft.Training.Answers;
using OrtPeft.Training.Data;
using OrtPeft.Training.Metrics;

namespace OrtPeft.Cli.Runs;

/// <summary>The exam that a model takes at each evaluation, with the weights that it has then.</summary>
internal sealed class TrainingExam
{
    private const int TokensOfSamples = 64;

    private readonly PeftModel _peft;
    private readonly ITokenizer _tokenizer;
    private readonly RuntimeOptions _runtime;
    private readonly GenerationOptions _options;
    private readonly int? _newTokens;

    private TrainingExam(
        PeftModel peft, ITokenizer tokenizer, RuntimeOptions runtime, GenerationOptions options, int? newTokens) =>
        (_peft, _tokenizer, _runtime, _options, _newTokens) = (peft, tokenizer, runtime, options, newTokens);

    private IReadOnlyList<AnswerRow> Shown { get; init; } = [];

    private IReadOnlyList<AnswerRow> Measured { get; init; } = [];

    private IReadOnlyList<EvaluationMetric> Metrics { get; init; } = [];

    /// <summary>Whom the exam tells how far it is.</summary>
    public IProgress<TrainingActivity>? Activity { get; set; }

    /// <summary>Prepares the prompts.</summary>
    /// <param name="run">What the user wants.</param>
    /// <param name="options">The options that say so.</param>
    /// <param name="peft">The model that is trained.</param>
    /// <param name="source">Its base.</param>
    /// <param name="tokenizer">Its tokenizer; null where it has none.</param>
    /// <param name="templates">Its chat templates.</param>
    /// <param name="heldOut">The rows to take prompts from.</param>
    /// <param name="learned">The rows that are trained on.</param>
    /// <param name="seed">Which rows are measured.</param>
    /// <returns>The exam; null where nothing is asked.</returns>
    /// <exception cref="UsageException">There is no tokenizer, or no row with a prompt.</exception>
    public static TrainingExam? Of(
        Invocation run,
        ExaminationOptions options,
        PeftModel peft,
        ModelSource source,
        ITokenizer? tokenizer,
        Lazy<ChatTemplates?> templates,
        IReadOnlyList<Example> heldOut,
        IReadOnlyList<Example> learned,
        long seed)
    {
        if (!options.Asks(run))
            return null;
        if (tokenizer is null)
            throw new UsageException($"{source.Folder} holds no tokenizer, which answers need; name its folder with --tokenizer.");
        AnswerRow[] asked = [.. heldOut.Select(AnswerRow.Of).OfType<AnswerRow>()];
        if (asked.Length == 0 && options.MeasuredRows(run) + options.Samples(run) > 0)
        {
            throw new UsageException(
                "No held-out row has a prompt before what is learned, so there is nothing to answer; --metrics of answers and "
                + "--samples need rows of prompt and completion, or conversations.");
        }

        var isChat = learned.Any(static row => row.Form is RowForm.Template or RowForm.PlainMessages);
        var prompts = options.Prompts(run).Select(text => isChat
            ? ChatPrompt.Of(ChatInput.Asking(text), templates.Value, tokenizer).Ids
            : tokenizer.WithStart(tokenizer.Encode(text)));
        var count = Math.Min(options.MeasuredRows(run), asked.Length);
        var runtime = run.Runtime with { Prepacking = false };
        return new TrainingExam(peft, tokenizer, runtime, Options(peft, source, tokenizer), options.NewTokens(run))
        {
            Shown = [.. prompts.Select(static ids => new AnswerRow([.. ids], null)), .. asked.Take(options.Samples(run))],
            Metrics = options.Wanted(run),
            Measured = [.. Drawn.Of(asked.Length, count, seed, "metrics").Select(i => asked[i])],
        };
    }

    /// <summary>Asks.</summary>
    /// <param name="step">The steps done.</param>
    public Examination Take(int step)
    {
        using var generator = Generator.Open(_peft.ForInference(), _runtime);
        var samples = Answers(generator, Shown, 0, Math.Max(TokensOfSamples, AnswerExam.TokensFor(Shown)));
        return new Examination
        {
            Answers = [.. samples.Select(a => new SampleAnswer(step, a.Prompt, a.Expected, a.Text))],
            Metrics = Metrics,
            Scored = Answers(generator, Measured, Shown.Count, AnswerExam.TokensFor(Measured)),
        };
    }

    private List<ScoredAnswer> Answers(Generator generator, IReadOnlyList<AnswerRow> rows, int before, int tokens)
    {
        var answers = new List<ScoredAnswer>();
        var options = _options with { MaxNewTokens = _newTokens ?? tokens };
        Report();
        foreach (var answer in AnswerExam.Take(generator, _tokenizer, rows, options))
        {
            answers.Add(answer);
            Report();
        }

        return answers;

        void Report() => Activity?.Report(new("answering", before + answers.Count, Shown.Count + Measured.Count));
    }

    private static GenerationOptions Options(PeftModel peft, ModelSource source, ITokenizer tokenizer) => new()
    {
        ContextLength = ModelLimits.ContextLength(source, peft.ReservedPositions),
        EosTokenId = source.EndOfText(tokenizer.EndOfTextId),
        StopTokenIds = source.StopTokenIds,
    };
}
