using OrtPeft.Cli.Tests.Running;

namespace OrtPeft.Cli.Tests.Commands;

/// <summary>The page that a run leaves, and the one that compares runs.</summary>
public sealed class ReportTests(Workplace place) : IClassFixture<Workplace>
{
    /// <summary>The lowest contrast of text with what is behind it, by WCAG 2.1.</summary>
    private const string LowestContrast =
        """
        (() => {
          const channels = colour => colour.match(/[\d.]+/g).map(Number);
          const part = c => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
          const light = colour => { const [r, g, b] = channels(colour); return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b) };
          const behind = element => {
            for (; element; element = element.parentElement) {
              const colour = getComputedStyle(element).backgroundColor;
              if (channels(colour)[3] !== 0)
                return colour;
            }
            return 'rgb(255, 0, 255)';
          };
          const texts = [...document.querySelectorAll('body *')].filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()));
          const lines = [...document.querySelectorAll('.plot path:not(.grid)')].filter(e => !e.classList.contains('faint'));
          const contrast = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05) };
          return Math.min(
            ...texts.map(e => contrast(getComputedStyle(e).color, behind(e))),
            ...lines.map(e => contrast(getComputedStyle(e).stroke, behind(e.closest('figure'))) + 1.5)); // lines need 3
        })()
        """;

    [BrowserFact]
    public async Task Pages_InChromium_AreWhole()
    {
        var (first, second) = (Trained("2"), Trained("4"));
        var comparison = place["comparison.html"];
        CliRun.Of("report", first, second, "--html", comparison).Succeeded();
        await using var browser = await Browser.StartAsync();

        foreach (var (page, charts) in new[] { (Path.Combine(first, "report.html"), 5), (comparison, 4) })
        {
            foreach (var (width, isDark) in new[] { (360, false), (360, true), (1400, false), (1400, true) })
            {
                await browser.OpenAsync(new Uri(page).AbsoluteUri, width, isDark);

                Assert.Empty(browser.Complaints);
                Assert.Equal(width, (int)(await browser.EvaluateAsync("innerWidth"))!);
                Assert.True((int)(await browser.EvaluateAsync("document.documentElement.scrollWidth"))! <= width);
                Assert.Equal(charts, (int)(await browser.EvaluateAsync("document.querySelectorAll('figure').length"))!);
                Assert.True((bool)(await browser.EvaluateAsync(
                    "[...document.querySelectorAll('.plot')].every(p => { const box = [...p.querySelectorAll('path:not(.grid)')]"
                    + ".pop().getBoundingClientRect(); return box.width > 100 && box.right <= innerWidth })"))!);
                var contrast = (double)(await browser.EvaluateAsync(LowestContrast))!;
                Assert.True(contrast >= 4.5, $"The lowest contrast is {contrast}.");
            }
        }
    }

    [Fact]
    public void Train_ThatIsResumed_LeavesAPageOfTheWholeRun()
    {
        var folder = place.Fresh();
        string[] train =
        [
            "train", place.Model, "--data", place.Rows, "--out", folder, "--batch-size", "2", "--threads", "1", "--steps", "6",
        ];
        Assert.Equal(130, CliRun.InterruptedAt("step 1/6", train).ExitCode);
        Assert.Contains("of 6", Page(folder), StringComparison.Ordinal);

        CliRun.Of([.. train, "--resume"]).Succeeded();

        var page = Page(folder);
        Assert.Contains("at step 1,", page, StringComparison.Ordinal);
        Assert.Contains("at step 6.", page, StringComparison.Ordinal);
        Assert.Contains("Step 6, 1 epochs.", page, StringComparison.Ordinal);
        Assert.Contains("batch-size: 2", page, StringComparison.Ordinal);
    }

    /// <summary>A page of the run before would lie beside this one's metrics.</summary>
    [Fact]
    public void Train_ThatStartsOver_RemovesThePageOfTheRunBefore()
    {
        var folder = Trained("2");

        CliRun.Of(
            "train", place.Model, "--data", place.Rows, "--out", folder, "--overwrite", "--lr", "1e30", "--steps", "5",
            "--threads", "1").Refused(1, "the loss is");

        Assert.False(File.Exists(Path.Combine(folder, "report.html")));
        Assert.False(File.Exists(Path.Combine(folder, "run-info.json")));
    }

    [Fact]
    public void Report_OfRunsOfOneName_TellsThemApart()
    {
        var folder = Trained("2");
        Directory.CreateDirectory(place["other"]);
        var copy = Path.Combine(place["other"], Path.GetFileName(folder));
        Directory.CreateDirectory(copy);
        File.Copy(Path.Combine(folder, "metrics.jsonl"), Path.Combine(copy, "metrics.jsonl"));

        var run = CliRun.Of("report", folder, copy, "--html", place["same.html"], "--json").Succeeded();

        Assert.Equal([folder, copy], run.Json["runs"]!.AsArray().Select(static r => (string)r!["run"]!));
    }

    [Fact]
    public void Report_WhereAnotherFileIs_LeavesIt()
    {
        var (folder, file) = (Trained("2"), place.Write("notes.html", "mine"));

        CliRun.Of("report", folder, "--html", file).Refused(2, "--html", "not a page of ortpeft report");

        Assert.Equal("mine", File.ReadAllText(file));
        CliRun.Of("report", folder).Succeeded();
    }

    [Fact]
    public void Report_OfAFolderWithoutARun_IsRefused()
    {
        CliRun.Of("report", place.Model).Refused(2, "metrics.jsonl");
        CliRun.Of("report", place["nowhere"]).Refused(2, "is not a folder");
    }

    private static string Page(string folder) => File.ReadAllText(Path.Combine(folder, "report.html"));

    private string Trained(string rank)
    {
        var folder = place.Fresh();
        CliRun.Of(
            "train", place.Model, "--data", place.Rows, "--out", folder, "--batch-size", "2", "--threads", "1", "--rank", rank,
            "--val-split", "0.25", "--eval-steps", "2", "--steps", "4").Succeeded();
        return folder;
    }
}
