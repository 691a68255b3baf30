using OrtPeft.Adapters.Modules;

namespace OrtPeft.Adapters.Lokr;

/// <summary>The lengths of one layer's Kronecker factors, and whether each of them is a product itself.</summary>
/// <param name="A">Rows of w1.</param>
/// <param name="B">Rows of w2; out = A·B.</param>
/// <param name="C">Columns of w1.</param>
/// <param name="D">Columns of w2; in = C·D.</param>
/// <param name="R">The rank of products.</param>
/// <param name="SplitsFirst">Whether w1 is w1_a·w1_b.</param>
/// <param name="SplitsSecond">Whether w2 is w2_a·w2_b.</param>
internal sealed record LokrShape(long A, long B, long C, long D, int R, bool SplitsFirst, bool SplitsSecond)
{
    /// <summary>The names, rows and columns of what is stored, by HF PEFT.</summary>
    public IEnumerable<(string Name, long Rows, long Columns)> Factors =>
    [
        .. Stored("lokr_w1", A, C, SplitsFirst),
        .. Stored("lokr_w2", B, D, SplitsSecond),
    ];

    /// <summary>The shape for a layer.</summary>
    public static LokrShape Of(LinearModule module, LokrConfig config)
    {
        var r = config.RankOf(module.Name);
        var (a, b) = Factorization.Of(module.OutFeatures, config.DecomposeFactor);
        var (c, d) = Factorization.Of(module.InFeatures, config.DecomposeFactor);
        var splitsFirst = config.DecomposeBoth && r < Math.Max(a, c) / 2.0;
        return new LokrShape(a, b, c, d, r, splitsFirst, r < Math.Max(b, d) / 2.0);
    }

    private IEnumerable<(string Name, long Rows, long Columns)> Stored(
        string name, long rows, long columns, bool splits)
    {
        if (!splits)
            return [(name, rows, columns)];
        return [($"{name}_a", rows, R), ($"{name}_b", R, columns)];
    }
}
