using OrtPeft.Training.Reports;

namespace OrtPeft.Training.Tests.Reports;

public sealed class ModelCardTests
{
    [Fact]
    public void ToMarkdown_OfAnyText_KeepsItsShape()
    {
        const string Hostile = "a\"b\\c|d`e<script>\n---\nlicense: mit";
        var card = new ModelCard
        {
            Name = Hostile,
            BaseModel = Hostile,
            IsBaseOnHub = true,
            PeftType = "LORA",
            Datasets = [Hostile],
            Metrics = [("loss", Hostile, 1, double.NaN)],
            Facts = [new(Hostile, [new(Hostile, Hostile)])],
        };

        var lines = card.ToMarkdown().Split('\n');

        Assert.Equal(2, lines.Count(static l => l == "---"));
        Assert.DoesNotContain("license: mit", lines);
        Assert.DoesNotContain(lines.SkipWhile(static l => l != ModelCard.Mark), static l => l.Contains("<script>", StringComparison.Ordinal)
            && !l.StartsWith("base = ", StringComparison.Ordinal));
        Assert.Contains(@"base_model: ""a\""b\\c|d`e<script>\u000a---\u000alicense: mit""", lines);
    }

    [Fact]
    public void ToMarkdown_OfAMethodThatPeftLacks_NamesNoLibrary()
    {
        var card = new ModelCard { Name = "x", PeftType = "BOTTLENECK" }.ToMarkdown();

        Assert.DoesNotContain("library_name", card, StringComparison.Ordinal);
        Assert.DoesNotContain("from peft", card, StringComparison.Ordinal);
    }

    [Fact]
    public void ToMarkdown_OfALossThatIsNoNumber_ClaimsNothing()
    {
        var card = new ModelCard
        {
            Name = "x",
            PeftType = "LORA",
            Metrics = [("loss", "eval loss", double.NaN, 1), ("perplexity", "p", double.PositiveInfinity, 1)],
        };

        Assert.DoesNotContain("model-index", card.ToMarkdown(), StringComparison.Ordinal);
    }
}
