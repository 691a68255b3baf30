using System.Text.Json.Nodes;
using OrtPeft.Models.Configuration;

namespace OrtPeft.Models.Llama;

/// <summary>The kinds of rotary scaling, by HF's <c>rope_type</c>: which fields they need, and what they do.</summary>
internal static class RopeTypes
{
    private const string Section = "rope_scaling";
    private const string Default = "default";
    private const string ThetaField = "rope_theta";
    private const string TypeField = "rope_type";
    private const string FactorField = "factor";
    private const string LowField = "low_freq_factor";
    private const string HighField = "high_freq_factor";
    private const string OriginalField = "original_max_position_embeddings";

    /// <summary>What scalings that cannot be built need; these here do not look at it.</summary>
    private static readonly string[] OtherTypesFields =
    [
        "attention_factor", "beta_fast", "beta_slow", "finetuned", "long_factor", "mscale", "mscale_all_dim",
        "short_factor", "truncate",
    ];

    private static readonly Row[] Rows =
    [
        new(Default, [], static (_, frequency) => frequency),
        new("linear", [FactorField], static (scaling, frequency) => frequency / scaling.Factor),
        new("llama3", [FactorField, LowField, HighField], Llama3),
    ];

    private static IEnumerable<string> Names => Rows.Select(static row => row.Name);

    /// <summary>The angle per token of each pair of a head's elements: θ^(−2i/d) for i in 0..d/2−1, scaled.</summary>
    /// <seealso href="https://arxiv.org/abs/2104.09864">Su et al., RoFormer, section 3.2.2.</seealso>
    public static double[] Frequencies(int headSize, double theta, RopeScaling? scaling)
    {
        var frequencies = Enumerable.Range(0, headSize / 2).Select(i => Math.Pow(theta, -2.0 * i / headSize));
        return scaling is null
            ? [.. frequencies]
            : [.. frequencies.Select(frequency => Find(scaling.Type).Scale(scaling, frequency))];
    }

    /// <summary>
    /// Reads base and scaling as HF 5 does: from <c>rope_scaling</c> unless it is empty, else from
    /// <c>rope_parameters</c>, and only what is not in there from the fields beside it, the original length the other
    /// way round.
    /// </summary>
    /// <param name="fields">The file's fields.</param>
    /// <param name="config">What the file leaves out, and how long sequences are.</param>
    /// <returns>The description with base and scaling.</returns>
    public static LlamaConfig Read(ModelFields fields, LlamaConfig config)
    {
        var (old, current) = (fields.Section(Section), fields.Section("rope_parameters"));
        var section = old is { IsEmpty: false } ? old : current;
        var theta = fields.Number(ThetaField, config.RopeTheta);
        RefusePart(fields);
        var original = fields.OptionalCount(OriginalField);
        return section is null ? config with { RopeTheta = theta } : config with
        {
            RopeTheta = section.Number(ThetaField, theta),
            RopeScaling = ReadScaling(section, original, config.Positions),
        };
    }

    private static RopeScaling? ReadScaling(ModelFields section, int? original, int positions)
    {
        var isOld = !section.Has(TypeField) && section.Has("type");
        var field = isOld ? "type" : TypeField;
        var type = section.Text(field, Default);
        RefusePart(section);
        section.Know("type");
        section.Know(OtherTypesFields);
        if (!Names.Contains(type))
        {
            section.Refuse(field, $"'{type}'", $"one of {string.Join(", ", Names)}");
            return null;
        }

        foreach (var need in Find(type).Needs.Where(need => !section.Has(need)))
            section.Refuse(need, "missing", $"a number, as {type} needs one");
        var otherwise = new RopeScaling { Type = type };
        var own = section.Count(OriginalField, positions);
        var scaling = otherwise with
        {
            Factor = section.Number(FactorField, otherwise.Factor),
            LowFrequencyFactor = section.Number(LowField, otherwise.LowFrequencyFactor),
            HighFrequencyFactor = section.Number(HighField, otherwise.HighFrequencyFactor),
            OriginalPositions = original ?? own,
        };
        section.RefuseUnknown();
        return type == Default ? null : scaling;
    }

    private static void RefusePart(ModelFields fields)
    {
        const string Field = "partial_rotary_factor";
        if (fields.Number(Field, 1) is var part and not 1)
            fields.Refuse(Field, FormattableString.Invariant($"{part}"), "1");
    }

    public static JsonNode? Write(RopeScaling? scaling) => scaling is null ? null : new JsonObject
    {
        [FactorField] = ConfigText.Exact(scaling.Factor),
        [HighField] = ConfigText.Exact(scaling.HighFrequencyFactor),
        [LowField] = ConfigText.Exact(scaling.LowFrequencyFactor),
        [OriginalField] = scaling.OriginalPositions,
        [TypeField] = scaling.Type,
    };

    public static void Check(RopeScaling? scaling)
    {
        if (scaling is null)
            return;
        var (low, high) = (scaling.LowFrequencyFactor, scaling.HighFrequencyFactor);
        ConfigChecks.OneOf($"{Section}.{TypeField}", scaling.Type, Names);
        ConfigChecks.Require(scaling.Factor > 0, $"{Section}.{FactorField}", scaling.Factor, "a number over 0");
        ConfigChecks.Require(low > 0, $"{Section}.{LowField}", low, "a number over 0");
        ConfigChecks.Require(high > low, $"{Section}.{HighField}", high, FormattableString.Invariant(
            $"a number over {LowField}, which is {low}"));
        ConfigChecks.AtLeastOne($"{Section}.{OriginalField}", scaling.OriginalPositions);
    }

    /// <summary>
    /// With t the turns within the original length: f where t &gt; high, f/factor where t &lt; low, and between them
    /// the mean of both with the weight (t − low)/(high − low) on f.
    /// </summary>
    /// <seealso href="https://arxiv.org/abs/2407.21783">The Llama 3 herd of models; the formula is from its released
    /// code.</seealso>
    private static double Llama3(RopeScaling scaling, double frequency)
    {
        var turns = scaling.OriginalPositions * frequency / (2 * Math.PI);
        var (low, high) = (scaling.LowFrequencyFactor, scaling.HighFrequencyFactor);
        var kept = Math.Clamp((turns - low) / (high - low), 0, 1);
        return (kept * frequency) + ((1 - kept) * frequency / scaling.Factor);
    }

    private static Row Find(string type) => Rows.First(row => row.Name == type);

    /// <summary>One kind.</summary>
    /// <param name="Name">The <c>rope_type</c>.</param>
    /// <param name="Needs">The fields that must be there.</param>
    /// <param name="Scale">A pair's angle per token, from the unscaled one.</param>
    private sealed record Row(string Name, string[] Needs, Func<RopeScaling, double, double> Scale);
}
