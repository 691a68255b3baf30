using System.Globalization;
using OrtPeft.Cli.Errors;
using OrtPeft.Inference.Evaluation;
using OrtPeft.Models;
using OrtPeft.Onnx;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;

namespace OrtPeft.Cli.Files;

/// <summary>Compares what was written with what it was made of, on a few random rows of tokens.</summary>
internal sealed class LogitsProof
{
    private const float Tolerance = 1e-3f;
    private const int Rows = 3;
    private const int Tokens = 32;

    private readonly IReadOnlyList<int[]> _rows;
    private readonly RuntimeOptions _runtime;

    private LogitsProof(IReadOnlyList<int[]> rows, RuntimeOptions runtime) => (_rows, _runtime) = (rows, runtime);

    /// <summary>The check of a model.</summary>
    /// <param name="run">How models run.</param>
    /// <param name="source">The base.</param>
    /// <param name="isAsConsumersRun">Whether ONNX Runtime packs matrices as it does by itself: products of few bits round
    /// activations only then. It takes memory.</param>
    public static LogitsProof Of(Invocation run, ModelSource source, bool isAsConsumersRun = false)
    {
        var length = Math.Min(Tokens, source.ContextLength ?? Tokens);
        var rows = LogitsComparison.RandomSequences(Rows, length, source.VocabularySize ?? 1, seed: 0);
        return new LogitsProof(rows, run.Runtime with { Prepacking = isAsConsumersRun ? null : false });
    }

    /// <summary>The tolerance of a logit: 0.001, and what rounding n weights by u each can do: every layer's result is off by
    /// about u of itself, and the layers' errors add up as random ones do, to √n u of the logits. Four times that is
    /// allowed.</summary>
    /// <param name="largestLogit">The largest logit.</param>
    /// <param name="rounded">The number of weights.</param>
    /// <param name="unitRoundoff">The largest relative error of one number.</param>
    public static float ToleranceOf(float largestLogit, int rounded, double unitRoundoff) =>
        Tolerance + (float)(4 * unitRoundoff * Math.Sqrt(rounded) * largestLogit);

    /// <summary>The rows of tokens.</summary>
    public IReadOnlyList<int[]> Sequences => _rows;

    /// <summary>The logits after each row.</summary>
    public IReadOnlyList<float[]> After(Model model) => LogitsComparison.After(model, _rows, _runtime);

    /// <summary>Runs both.</summary>
    public LogitsDifference Measure(Model ours, Model written, string? adapter = null) =>
        LogitsComparison.Compare(ours, written, _rows, _runtime, adapter);

    /// <summary>Runs both; they must agree.</summary>
    /// <param name="what">What is compared, for the message.</param>
    /// <param name="ours">OrtPeft's model.</param>
    /// <param name="written">What was written.</param>
    /// <param name="adapter">The adapter file that is active in it; null for none.</param>
    /// <param name="stored">The types that weights of it were rounded to, one for each; null for none.</param>
    /// <returns>The largest difference of a logit.</returns>
    /// <exception cref="ResultException">They do not agree.</exception>
    public float Compare(string what, Model ours, Model written, string? adapter = null, IEnumerable<ElementType>? stored = null)
    {
        var found = Measure(ours, written, adapter);
        List<ElementType> halves = [.. (stored ?? []).Where(static t => t.IsHalf())];
        var unit = halves.Contains(ElementType.BFloat16) ? 1.0 / (1 << 8) : 1.0 / (1 << 11);
        var tolerance = ToleranceOf(found.LargestLogit, halves.Count, unit);
        if (found.Largest <= tolerance)
            return found.Largest;
        var values = string.Create(
            CultureInfo.InvariantCulture,
            $"{found.Largest} from OrtPeft's (token {found.Token}: {found.Second}, not {found.First}), over the {tolerance}");
        throw new ResultException(
            $"With {what}, ONNX Runtime's logits differ by {values} allowed; nothing was written. --no-verify writes it all "
            + "the same.");
    }
}
