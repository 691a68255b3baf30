using OrtPeft.Cli.Bench.Suite;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Reporting;
using OrtPeft.Cli.Tests.Running;

namespace OrtPeft.Cli.Tests.Bench;

public sealed class SuiteTests(Workplace place) : IClassFixture<Workplace>
{
    private static readonly string[] Options = ["--steps", "2", "--threads", "1"];

    private static readonly SuiteCase Training = new(
        "tiny", "float32", new SuiteModel("tiny"), "--batch-size 1 --seq-len 8 --steps 1 --target all-linear");

    private static readonly SuiteCase OnInt4 = Training with { Variant = "int4 base", Model = new SuiteModel("tiny", "int") };

    [Fact]
    public void Run_MakesTheModelsOnce_AndRunsTheCasesInTurn()
    {
        var models = place.Fresh();
        var (ran, said) = (new List<string>(), new Dictionary<string, string>());
        var suite = new SuiteRun([OnInt4, Training], models, Options, (arguments, turnedOff) =>
        {
            var words = string.Join(' ', arguments.Select(Path.GetFileName));
            ran.Add(words);
            // The second round says what the first said.
            if (!said.TryGetValue(words, out var answer))
                said.Add(words, answer = OwnCommand.Run(arguments, turnedOff, CancellationToken.None));
            return answer;
        });

        var figures = suite.Run(rounds: 2, static _ => { });

        const string Rest = "--batch-size 1 --seq-len 8 --steps 1 --target all-linear --threads 1 --json";
        Assert.Equal(
            [
                "init --preset tiny --out tiny-hf --overwrite",
                "import tiny-hf --out tiny",
                "quantize tiny --format int --out tiny-int",
                $"bench tiny-int {Rest}",
                $"bench tiny {Rest}",
                $"bench tiny-int {Rest}",
                $"bench tiny {Rest}",
            ],
            ran);
        Assert.Equal(["tiny", "tiny-int"], Directory.GetDirectories(models).Select(Path.GetFileName).Order());
        Assert.All(figures.Values, static rounds => Assert.Equal(2, rounds.Count));
        var ratio = SuiteReport.Ratio(new SuiteRatio("", OnInt4, Training, static f => f.TokensPerSecond), figures)!.Value;
        var (of, by) = (figures[OnInt4], figures[Training]);
        Assert.InRange(ratio, Least(of) / Most(by), Most(of) / Least(by));
        Assert.Null(SuiteReport.Ratio(new SuiteRatio("", OnInt4, Training with { Name = "other" }, static f => f.Step), figures));
    }

    [Fact]
    public void Run_WhenABenchmarkFails_SaysWhatItSaid()
    {
        var wrong = Training with { Arguments = "--target nothing-like-this" };
        var suite = new SuiteRun(
            [wrong], place.Fresh(), [], static (arguments, off) => OwnCommand.Run(arguments, off, CancellationToken.None));

        var error = Assert.Throws<UsageException>(() => suite.Run(1, static _ => { }));

        Assert.StartsWith("'ortpeft bench ", error.Message, StringComparison.Ordinal);
        Assert.Contains("nothing-like-this", error.Message, StringComparison.Ordinal);
        Assert.Contains(" failed and said: ortpeft: ", error.Message, StringComparison.Ordinal);
    }

    /// <summary>A typing error in the table would be found an hour into a run.</summary>
    [Fact]
    public void Cases_HaveOptionsThatBenchTakes_AndRatiosOfThem()
    {
        Assert.All(
            SuiteCases.All,
            one => CliRun.Of(["bench", place["missing"], .. one.Arguments.Split(' ')]).Refused(2, "missing"));
        Assert.All(SuiteCases.Ratios, static r =>
        {
            Assert.Contains(r.Of, SuiteCases.All);
            Assert.Contains(r.By, SuiteCases.All);
        });
        Assert.Equal(SuiteCases.All.Count, SuiteCases.All.Select(static c => (c.Name, c.Variant)).Distinct().Count());
    }

    [Theory]
    [InlineData("--rounds 3", "--rounds is for --suite")]
    [InlineData("--seq-len 5 --suite", "--seq-len is fixed in the suite's benchmarks")]
    [InlineData("--suite --rounds 0", "--rounds is 0")]
    public void Bench_WithOptionsThatDoNotGoTogether_SaysSo(string options, string message)
    {
        var models = place.Fresh();

        CliRun.Of(["bench", models, .. options.Split(' ')]).Refused(2, message);

        Assert.False(Directory.Exists(models));
    }

    private static double Least(IEnumerable<SuiteFigures> rounds) => rounds.Min(static f => f.TokensPerSecond);

    private static double Most(IEnumerable<SuiteFigures> rounds) => rounds.Max(static f => f.TokensPerSecond);
}
