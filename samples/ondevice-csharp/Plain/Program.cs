using System.Globalization;
using System.Text.Json;
using Microsoft.ML.OnnxRuntime;

namespace OnDevice.Plain;

/// <summary>Trains an adapter with nothing but ONNX Runtime: what <c>artifacts.json</c> says is all it needs.</summary>
internal static class Program
{
    private const int RowsPerBatch = 3;

    private const NumberStyles Decimal =
        NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;

    private static int Main(string[] args)
    {
        if (args is not [var folder, var rowsFile, var output, var steps, var rate])
        {
            Console.Error.WriteLine("usage: OnDevice.Plain ARTIFACTS ROWS.jsonl OUT STEPS LEARNING_RATE");
            return 2;
        }

        var invariant = CultureInfo.InvariantCulture; // without separators of groups: 0,001 is not 1
        if (!int.TryParse(steps, NumberStyles.None, invariant, out var count)
            || !float.TryParse(rate, Decimal, invariant, out var learningRate) || !float.IsFinite(learningRate))
        {
            Console.Error.WriteLine($"'{steps}' steps at '{rate}': write them as 20 and 0.001.");
            return 2;
        }

        try
        {
            Train(folder, rowsFile, output, count, learningRate);
            return 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException
            or NotSupportedException or JsonException or OnnxRuntimeException)
        {
            Console.Error.WriteLine(e.Message);
            return 2;
        }
    }

    private static void Train(string folder, string rowsFile, string output, int steps, float learningRate)
    {
        if (!File.Exists(Path.Combine(folder, "artifacts.json")))
            throw new FileNotFoundException($"{folder} has no artifacts.json; give a folder that ortpeft artifacts wrote.");
        var rows = Rows.Read(rowsFile);
        using var adapter = new PlainAdapter(folder);
        for (var step = 1; step <= steps; step++)
        {
            var first = (step - 1) * RowsPerBatch;
            var picked = Enumerable.Range(first, RowsPerBatch).Select(i => rows[i % rows.Length]).ToArray();
            var loss = adapter.Step(step, learningRate, Batch.Of(picked));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"step {step} loss {loss:F6}"));
        }

        adapter.Save(output);
    }
}
