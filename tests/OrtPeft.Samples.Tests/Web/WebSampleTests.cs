using System.Globalization;
using System.IO.Compression;
using System.Text.Json;
using OrtPeft.Adapters;
using OrtPeft.Models;
using OrtPeft.Testing;
using OrtPeft.Tokenizers;
using OrtPeft.Training;
using OrtPeft.Training.Data;

namespace OrtPeft.Samples.Tests.Web;

public sealed class WebSampleTests(WebArtifacts artifacts) : IClassFixture<WebArtifacts>
{
    private const double LearningRate = 0.005;
    private const int BatchSize = 3; // divides the rows: an epoch ends with a whole batch
    private const int Steps = 5;

    private static TrainingArguments Arguments => new()
    {
        MaxSteps = Steps,
        BatchSize = BatchSize,
        LearningRate = LearningRate,
        Schedule = "constant",
        Shuffle = false,
    };

    private static readonly string[] Texts =
    [
        "Gets the number of elements contained in the queue.",
        "Occurs when the current selection changes. This is an event in System.ComponentModel.",
        "Reads the next node from the stream.",
        "Represents the text content of an element or attribute.",
        "Sends a request.",
        "Initializes a new instance of the reader class that reads from a stream.",
    ];

    /// <summary>Texts; and rows of other lengths, which the page takes whole and the trainer in 1, 2, 1, 3 and 1 parts.
    /// </summary>
    [NodeTheory]
    [InlineData("ort")]
    [InlineData("ort-training")]
    public void Runtime_InNode_GivesTheLossesOfTheTrainer(string runtime)
    {
        using var scratch = new TemporaryFolder();
        var tokenizer = TokenizerFolder.Load(WebSample.Base);
        int[] lengths = [20, 20, 20, 40, 20, 20, 21, 19, 20, 40, 40, 40, 20, 18, 5];
        Example[][] runs =
        [
            [.. Texts.Select(text => ToExample(tokenizer, text))],
            [.. lengths.Select(static (length, row) => ToExample(length, row))],
        ];
        var arguments = new[] { Arguments, Arguments with { MicroBatchTokens = 64 } };
        var batches = runs.Select(static rows => Enumerable.Range(0, Steps).Select(
            step => Enumerable.Range(step * BatchSize, BatchSize).Select(i => rows[i % rows.Length].InputIds)));
        File.WriteAllText(scratch["runs.json"], JsonSerializer.Serialize(batches));
        var folder = Path.Combine(artifacts.Path, runtime);
        var rate = LearningRate.ToString(CultureInfo.InvariantCulture);

        var printed = WebSample.Node(
            new Dictionary<string, string>(), "test/losses.js", folder, runtime, scratch["runs.json"], rate);

        var losses = JsonSerializer.Deserialize<double[][]>(printed)!;
        Assert.Equal(runs.Length, losses.Length);
        Assert.All(losses.Zip(runs, arguments), run =>
        {
            var expected = TrainerLosses(InitialAdapter(), run.Third, new TokenDataset(run.Second));
            Assert.Equal(Steps, run.First.Length);
            // float32 on other kernels: sums differ in their order.
            Assert.All(expected.Zip(run.First), static pair => Assert.Equal(pair.First, pair.Second, 1e-4));
        });
        Assert.True(losses[0][^1] < losses[0][0], $"{losses[0][0]} became {losses[0][^1]}");
    }

    [NodeTheory]
    [InlineData("test/parts.test.js")]
    public void Parts_InNode_PassTheirOwnTests(string file)
    {
        var output = WebSample.Node(new Dictionary<string, string>(), "--test", file);

        Assert.Contains("# fail 0", output, StringComparison.Ordinal);
    }

    [ChromiumFact]
    public void Page_InChromium_TrainsWithBothRuntimes_AndItsAdaptersGiveItsLosses()
    {
        using var results = new TemporaryFolder();
        var variables = new Dictionary<string, string> { ["ARTIFACTS"] = artifacts.Path, ["RESULTS"] = results.Path };

        WebSample.Node(variables, "--test", "test/page.test.js");

        foreach (var runtime in new[] { "ort", "ort-training" })
        {
            ZipFile.ExtractToDirectory(results[$"{runtime}.zip"], results[runtime]);
            using var json = JsonDocument.Parse(File.ReadAllBytes(results[$"{runtime}.json"]));
            var lines = json.RootElement.GetProperty("text").GetString()!.Split('\n');
            var adapted = PeftModel.Load(ModelSource.Open(WebSample.Base).Model, results[runtime]);
            using var evaluator = new Evaluator(adapted);
            var data = TokenDataset.FromTexts(TokenizerFolder.Load(WebSample.Base), lines);
            // float32 on other kernels.
            Assert.Equal(evaluator.Evaluate(data).Loss, json.RootElement.GetProperty("after").GetDouble(), 1e-4);
            ZipFile.ExtractToDirectory(results[$"{runtime}-model.zip"], results[$"{runtime}-model"]);
            using var merged = new Evaluator(ModelSource.Open(results[$"{runtime}-model"]).Model);
            Assert.Equal(evaluator.Evaluate(data).Loss, merged.Evaluate(data).Loss, 1e-4);
        }
    }

    /// <summary>The portable folder is an adapter folder of the initial weights.</summary>
    private PeftModel InitialAdapter() =>
        PeftModel.Load(ModelSource.Open(WebSample.Base).Model, Path.Combine(artifacts.Path, "ort"));

    private static double[] TrainerLosses(PeftModel model, TrainingArguments arguments, TokenDataset data)
    {
        var losses = new List<double>();
        using var trainer = new Trainer(model, arguments, data);
        trainer.Train(new Synchronous(progress => losses.Add(progress.Loss)));
        return [.. losses];
    }

    private static Example ToExample(ITokenizer tokenizer, string text)
    {
        int[] ids = [.. tokenizer.Encode(text), tokenizer.EndOfTextId!.Value];
        return new Example([.. ids], [.. ids]);
    }

    private static Example ToExample(int length, int row)
    {
        int[] ids = [.. Enumerable.Range(0, length).Select(i => ((row * 389) + (i * i * 17)) % 2000)];
        return new Example([.. ids], [.. ids]);
    }

    private sealed class Synchronous(Action<TrainingProgress> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value);
    }
}
