using System.Text.Json.Nodes;

namespace OrtPeft.Cli.Bench.Suite;

/// <summary>The figures that one run of a case reported.</summary>
/// <param name="Json">The document that <c>bench --json</c> wrote.</param>
internal sealed record SuiteFigures(JsonObject Json)
{
    /// <summary>The median step of training. Milliseconds.</summary>
    public double Step => Number("ms_per_step_median");

    /// <summary>Tokens trained each second.</summary>
    public double TokensPerSecond => Number("tokens_per_second");

    /// <summary>The speed of the step's products over that of one large product.</summary>
    public double GemmFraction => Number("gemm_fraction");

    /// <summary>The largest resident size. MiB.</summary>
    public double PeakMemory => Number("peak_rss_mb");

    /// <summary>From the start to sessions that can train. Seconds.</summary>
    public double Load => Number("load_seconds");

    /// <summary>The first step. Seconds.</summary>
    public double FirstStep => Number("first_step_seconds");

    /// <summary>New tokens each second, of the plain model or with the adapter beside or merged.</summary>
    public double NewTokens(string variant) => (double)Json[variant]!["new_token"]!["tokens_per_second"]!;

    /// <summary>Evaluated tokens each second, of the plain model.</summary>
    public double Evaluated => (double)Json["base"]!["evaluation"]!["tokens_per_second"]!;

    private double Number(string name) => (double)Json[name]!;
}
