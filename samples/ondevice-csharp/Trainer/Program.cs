using System.Globalization;
using OrtPeft.Tensors;
using OrtPeft.Tokenizers;
using OrtPeft.Training;
using OrtPeft.Training.Data;

namespace OnDevice.Trainer;

/// <summary>The smallest app that trains an adapter: an artifact folder in, an adapter folder out.</summary>
internal static class Program
{
    private const NumberStyles Decimal =
        NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;

    private static int Main(string[] args)
    {
        if (args is not [var artifacts, var rows, var output, var steps, var rate])
        {
            Console.Error.WriteLine("usage: OnDevice.Trainer ARTIFACTS ROWS.jsonl OUT STEPS LEARNING_RATE");
            return 2;
        }

        var invariant = CultureInfo.InvariantCulture; // without separators of groups: 0,001 is not 1
        if (!int.TryParse(steps, NumberStyles.None, invariant, out var count)
            || !double.TryParse(rate, Decimal, invariant, out var learningRate))
        {
            Console.Error.WriteLine($"'{steps}' steps at '{rate}': write them as 20 and 0.001.");
            return 2;
        }

        try
        {
            Train(artifacts, rows, output, count, learningRate);
            return 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException
            or OnnxFormatException or TokenizerFormatException or TrainingDataException or TrainingFailedException
            or TrainingRuntimeException)
        {
            Console.Error.WriteLine(e.Message);
            return 2;
        }
    }

    private static void Train(string artifacts, string rows, string output, int steps, double learningRate)
    {
        if (!File.Exists(Path.Combine(artifacts, "artifacts.json")))
        {
            throw new FileNotFoundException(
                $"{artifacts} has no artifacts.json; give a folder that ortpeft artifacts wrote.");
        }

        var tokenizer = TokenizerFolder.Holds(artifacts) ? TokenizerFolder.Load(artifacts) : null;
        var data = new TokenDataset([.. new ExampleReader(tokenizer, new ExampleReaderOptions()).Read(rows)]);
        var arguments = new TrainingArguments
        {
            MaxSteps = steps,
            LearningRate = learningRate,
            BatchSize = 3,
            Schedule = "constant",
            Shuffle = false,
        };
        using var trainer = OrtPeft.Training.Trainer.FromArtifacts(artifacts, arguments, data);
        trainer.Train(new Printer());
        trainer.SaveAdapter(output);
    }

    private sealed class Printer : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"step {value.Step} loss {value.Loss:F6}"));
    }
}
