using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Options;
using OrtPeft.Cli.Reporting;
using OrtPeft.Training;
using OrtPeft.Training.Data;

namespace OrtPeft.Cli.Commands;

/// <summary>Measures the loss on rows.</summary>
internal sealed class EvalCommand : Verb
{
    private readonly ModelArgument _model = new();
    private readonly AdapterOption _adapter = new();
    private readonly DataOptions _data = new();

    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public EvalCommand(Host host)
        : base(host, "eval", "Measure mean loss and perplexity over the supervised tokens of a data set.")
    {
        Examples =
        [
            "ortpeft eval gpt2-onnx --data held-out.jsonl",
            "ortpeft eval gpt2-onnx --adapter adapter --data held-out.jsonl --json",
            "ortpeft eval gpt2-onnx --adapter style --adapter task --data held-out.jsonl",
        ];
        Arguments.Add(_model);
        Options.Add(_adapter);
        Add(_data);
    }

    protected override void Run(Invocation run)
    {
        _ = _data.Files(run);
        var source = _model.Open(run);
        AccuracyNote.Warn(run, source);
        var adapted = _adapter.LoadOn(source.Model, run);
        var rows = _data.Read(run, source, adapted?.ReservedPositions ?? 0);
        var started = run.Host.Clock.GetTimestamp();
        var runtime = run.Runtime with { Prepacking = false };
        using var evaluator = adapted is null ? new Evaluator(source.Model, runtime) : new Evaluator(adapted, runtime);
        var result = evaluator.Evaluate(new TokenDataset(rows), _data.BatchSize(run));
        var time = run.Host.Clock.GetElapsedTime(started);
        run.Say($"loss {Human.Loss(result.Loss)}, perplexity {Human.Loss(result.Perplexity)} over " +
            $"{Human.Count(result.Count, "token")} of {Human.Count(rows.Count, "row")} in {Human.Time(time)}");
        run.Answer(new()
        {
            ["loss"] = Finite.OrNull(result.Loss),
            ["perplexity"] = Finite.OrNull(result.Perplexity),
            ["tokens"] = result.Count,
            ["rows"] = rows.Count,
            ["seconds"] = time.TotalSeconds,
        });
        if (!double.IsFinite(result.Loss))
            throw new ResultException(
                $"The loss over {Human.Count(result.Count, "token")} is {Human.Plain(result.Loss)}; the weights of "
                + "model or adapter hold values that are not numbers, or overflow in float32.");
    }
}
