using System.Text.Json;
using OrtPeft.Tensors.Storage;
using OrtPeft.Training.Data;
using OrtPeft.Training.Metrics;

namespace OrtPeft.Training.Reports;

/// <summary>All that a run measured, as its <c>metrics.jsonl</c> has it: the parts of a resumed run together.</summary>
public sealed record RunHistory
{
    /// <summary>The steps, in the file's order.</summary>
    public IReadOnlyList<StepMetrics> Steps { get; init; } = [];

    /// <summary>The evaluations, in the file's order; of step 0 before the first.</summary>
    public IReadOnlyList<EvaluationMetrics> Evaluations { get; init; } = [];

    /// <summary>Answers to prompts, in the file's order.</summary>
    public IReadOnlyList<SampleAnswer> Samples { get; init; } = [];

    /// <summary>The number of the last step; 0 where there was none.</summary>
    public int LastStep => Steps is [.., var last] ? last.Step : 0;

    /// <summary>Reads the file of a run that has ended, was stopped, or still goes on.</summary>
    /// <param name="path">The file. A last line that is not finished is left out.</param>
    /// <returns>What it holds.</returns>
    /// <exception cref="TrainingDataException">A line other than the last is not a row of such a file.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static RunHistory Read(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        InputFile.Check(path);
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var (steps, evaluations, samples) =
            (new List<StepMetrics>(), new List<EvaluationMetrics>(), new List<SampleAnswer>());
        JsonLine? broken = null;
        foreach (var line in JsonLines.Read(stream, path))
        {
            if (broken is { } earlier)
                throw Broken(path, earlier.Number);
            using var json = Parse(line.Bytes);
            if (json is null || !Add(json.RootElement))
                broken = line; // fine if nothing follows: the line that is being written
        }

        return new RunHistory { Steps = steps, Evaluations = evaluations, Samples = samples };

        bool Add(JsonElement row)
        {
            if (row.ValueKind != JsonValueKind.Object || StepOf(row) is not { } step)
                return false;
            if (row.TryGetProperty(MetricsLog.Samples, out var answers))
            {
                samples.AddRange(SamplesOf(step, answers));
                return true;
            }

            if (row.TryGetProperty(MetricsLog.EvaluationLoss, out _))
                evaluations.Add(EvaluationOf(step, row));
            else
                steps.Add(StepOf(step, row));
            return true;
        }
    }

    private static TrainingDataException Broken(string path, int line) => new DataPlace(path, line)
        .Error($"not a row of a run's metrics; give the file that ortpeft train wrote");

    private static JsonDocument? Parse(ReadOnlyMemory<byte> line)
    {
        try
        {
            JsonText.Check(line.Span);
            return JsonDocument.Parse(line);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static int? StepOf(JsonElement row) =>
        row.TryGetProperty("step", out var step) && step.ValueKind == JsonValueKind.Number
            && step.TryGetInt32(out var number) && number >= 0
                ? number
                : null;

    private static StepMetrics StepOf(int step, JsonElement row)
    {
        var tokens = Number(row, "tokens");
        return new()
        {
            Step = step,
            Epoch = Number(row, "epoch"),
            Loss = Number(row, "loss"),
            LearningRate = Number(row, "learning_rate"),
            GradNorm = Number(row, "grad_norm"),
            Tokens = tokens is >= 0 and < long.MaxValue ? (long)tokens : 0,
            TokensPerSecond = Number(row, "tokens_per_second"),
            Seconds = Number(row, "seconds"),
        };
    }

    private static EvaluationMetrics EvaluationOf(int step, JsonElement row) => new()
    {
        Step = step,
        Loss = Number(row, MetricsLog.EvaluationLoss),
        TokenAccuracy = Share(row, "eval_token_accuracy"),
        ExactMatch = Share(row, "eval_exact_match"),
        RougeL = Share(row, "eval_rouge_l"),
        JsonValid = Share(row, "eval_json_valid"),
    };

    private static double? Share(JsonElement row, string name) =>
        Number(row, name) is var number && double.IsFinite(number) ? number : null;

    private static IEnumerable<SampleAnswer> SamplesOf(int step, JsonElement answers) =>
        answers.ValueKind != JsonValueKind.Array
            ? []
            : answers.EnumerateArray().Where(static a => a.ValueKind == JsonValueKind.Object).Select(answer =>
                new SampleAnswer(step, Text(answer, "prompt") ?? "", Text(answer, "expected"), Text(answer, "answer") ?? ""));

    private static double Number(JsonElement row, string name) =>
        row.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number
            && value.TryGetDouble(out var number)
                ? number
                : double.NaN;

    private static string? Text(JsonElement row, string name) =>
        row.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
