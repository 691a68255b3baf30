using System.Globalization;
using System.Text.Json;

namespace OnDevice.Plain;

/// <summary>Trains an adapter with nothing but ONNX Runtime: what <c>artifacts.json</c> says is all it needs.</summary>
internal static class Program
{
    private const int RowsPerBatch = 3;

    private static int Main(string[] args)
    {
        if (args is not [var folder, var rowsFile, var output, var steps, var rate])
        {
            Console.Error.WriteLine("usage: OnDevice.Plain ARTIFACTS ROWS.jsonl OUT STEPS LEARNING_RATE");
            return 2;
        }

        JsonElement[] rows = [.. File.ReadLines(rowsFile).Select(static l => JsonDocument.Parse(l).RootElement)];
        using var adapter = new PlainAdapter(folder);
        for (var step = 1; step <= int.Parse(steps, CultureInfo.InvariantCulture); step++)
        {
            var first = (step - 1) * RowsPerBatch;
            var picked = Enumerable.Range(first, RowsPerBatch).Select(i => rows[i % rows.Length]).ToArray();
            var loss = adapter.Step(step, float.Parse(rate, CultureInfo.InvariantCulture), Batch.Of(picked));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"step {step} loss {loss:F6}"));
        }

        adapter.Save(output);
        return 0;
    }
}
