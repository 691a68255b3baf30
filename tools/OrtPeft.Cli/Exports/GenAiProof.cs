using System.Globalization;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Files;
using OrtPeft.Cli.Reporting;
using OrtPeft.Onnx;

namespace OrtPeft.Cli.Exports;

/// <summary>GenAI runs what was written, where this machine has it.</summary>
internal static class GenAiProof
{
    /// <summary>GenAI's result, for people; where GenAI is absent, a sentence that says so.</summary>
    /// <param name="job">What was exported.</param>
    /// <param name="folder">What was written.</param>
    /// <param name="ours">OrtPeft's model.</param>
    /// <param name="adapter">The adapter file that is active in GenAI; null for none.</param>
    /// <param name="isExact">Whether nothing was rounded, so that a difference is an error.</param>
    /// <exception cref="ResultException">GenAI fails, or answers otherwise.</exception>
    public static string Of(ExportJob job, string folder, Model ours, string? adapter, bool isExact)
    {
        if (GenAiLibrary.Find() is not { } library)
            return $"GenAI is not on this machine and did not run it ({GenAiLibrary.Variable} names its library); ONNX Runtime ran the same graph.";
        var check = LogitsProof.Of(job.Run, job.Source);
        int[][] rows = [.. check.Sequences.Where(static r => r.Length > 1)];
        if (rows.Length == 0)
            return "GenAI did not run it: the model takes one token.";
        var expected = check.After(ours).Zip(check.Sequences).Where(static p => p.Second.Length > 1).Select(static p => p.First).ToList();
        var found = library.After(folder, adapter, rows, expected[0].Length);
        var (largest, difference) = (0f, 0f);
        foreach (var (one, other) in expected.Zip(found))
        {
            foreach (var (a, b) in one.Zip(other))
            {
                largest = Math.Max(largest, Math.Abs(a));
                var own = a == b ? 0 : Math.Abs(a - b);
                difference = float.IsNaN(own) || float.IsNaN(difference) ? float.NaN : Math.Max(difference, own);
            }
        }

        var tolerance = LogitsProof.ToleranceOf(largest, 0, 0);
        if (isExact ? !(difference <= tolerance) : !float.IsFinite(difference))
        {
            var values = string.Create(CultureInfo.InvariantCulture, $"{difference} from OrtPeft's, over the {tolerance}");
            throw new ResultException(
                $"GenAI's logits differ by {values} allowed; nothing was written. --no-verify writes it all the same.");
        }

        var with = adapter is null ? "" : $" with {Path.GetFileName(adapter)}";
        return $"GenAI{with}: logits over its cache differ from OrtPeft's by at most {Human.Rate(difference)}"
            + (isExact ? "." : ", rounding included.");
    }
}
