using OrtPeft.Testing;
using OrtPeft.Training.Data;
using OrtPeft.Training.Metrics;
using OrtPeft.Training.Reports;

namespace OrtPeft.Training.Tests.Reports;

public sealed class RunPageTests
{
    private const string Hostile = "</script></pre><img src=x onerror=alert(1)>\"'&\0\r\u001b";

    [Fact]
    public void Of_AnyText_ShowsItAsText()
    {
        var run = new RunRecord
        {
            Name = Hostile,
            History = new()
            {
                Steps = [Step(1)],
                Evaluations = [new() { Step = 1, Loss = 1 }],
                Samples = [new(1, Hostile, Hostile, Hostile)],
            },
            Facts = new() { Groups = [new(Hostile, [new(Hostile, Hostile)])] },
            Configuration = Hostile,
        };

        foreach (var page in new[] { RunPage.Of(run), ComparisonPage.Of([run, run]) })
        {
            Assert.DoesNotContain("<script", page, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("<img", page, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("</script>", page, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain('\0', page);
            Assert.Contains("&lt;/script&gt;&lt;/pre&gt;&lt;img", page, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Of_ARunWithoutAStep_SaysSo() => Assert.Contains(
        "No step is done yet.", RunPage.Of(new RunRecord { Name = "r", History = new() }), StringComparison.Ordinal);

    [Fact]
    public void Of_NumbersThatAreNone_NamesThemAndDrawsNone()
    {
        var run = new RunRecord
        {
            Name = "r",
            History = new()
            {
                Steps = [Step(1) with { Loss = double.NaN, GradNorm = double.PositiveInfinity, Seconds = double.NaN }],
                Evaluations = [new() { Step = 0, Loss = double.NaN }, new() { Step = 1, Loss = 1e12 }],
            },
        };

        var page = RunPage.Of(run);

        Assert.Contains("<td>not a number</td>", page, StringComparison.Ordinal);
        Assert.DoesNotContain("NaN", page, StringComparison.Ordinal);
        Assert.DoesNotContain("Infinity", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_ManySteps_StaysSmall()
    {
        var run = new RunRecord
        {
            Name = "long",
            History = new()
            {
                Steps = [.. Enumerable.Range(1, 50_000).Select(static i => Step(i))],
                Evaluations = [.. Enumerable.Range(1, 5_000).Select(static i => new EvaluationMetrics { Step = i, Loss = 1.0 / i })],
                Samples = [.. Enumerable.Range(1, 5_000).Select(static i => new SampleAnswer(i, "p", null, $"answer {i}"))],
            },
        };

        var page = RunPage.Of(run);

        Assert.InRange(page.Length, 20_000, 300_000);
        Assert.Contains("answer 5000<", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Facts_SavedAndRead_AreTheSame()
    {
        using var folder = new TemporaryFolder();
        var facts = new RunFacts { TotalSteps = 7, Groups = [new("Data", [new("rows", Hostile), new("file", "ü")])] };

        facts.Save(folder[RunFacts.FileName]);
        var read = RunFacts.Read(folder[RunFacts.FileName]);

        Assert.Equal(7, read.TotalSteps);
        Assert.Equal(facts.Groups[0].Facts, Assert.Single(read.Groups).Facts);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{\"total_steps\":\"x\"}")]
    public void Facts_OfAnotherFile_AreRefused(string content)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["f"], content);

        Assert.Throws<TrainingDataException>(() => RunFacts.Read(folder["f"]));
    }

    private static StepMetrics Step(int step) => new()
    {
        Step = step,
        Epoch = 1,
        Loss = 1.0 / step,
        LearningRate = 1e-4,
        GradNorm = Math.Abs(Math.Sin(step)),
        Tokens = 10,
        TokensPerSecond = 10,
        Seconds = 1,
    };
}
