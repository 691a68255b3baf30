using System.Text.Json.Nodes;
using OrtPeft.Models.Configuration;

namespace OrtPeft.Models.Rotary;

/// <summary>
/// Where a family's <c>config.json</c> has its rotary fields. HF 5 takes base, part and scaling from
/// <c>rope_scaling</c> unless it is empty, else from <c>rope_parameters</c>, and only what is not in there from the
/// fields beside it; the original length the other way round.
/// </summary>
internal sealed record RopeFields
{
    public const string Scaling = "rope_scaling";
    public const string Parameters = "rope_parameters";
    public const string Theta = "rope_theta";
    public const string Part = "partial_rotary_factor";
    public const string Type = "rope_type";
    public const string Factor = "factor";
    public const string Low = "low_freq_factor";
    public const string High = "high_freq_factor";
    public const string Original = "original_max_position_embeddings";
    public const string Attention = "attention_factor";
    public const string BetaFast = "beta_fast";
    public const string BetaSlow = "beta_slow";
    public const string Short = "short_factor";
    public const string Long = "long_factor";
    private const string OldType = "type";

    /// <summary>The values of fields that a file leaves out.</summary>
    public required Rope Defaults { get; init; }

    /// <summary>The base's field beside the section.</summary>
    public string ThetaField { get; init; } = Theta;

    /// <summary>The field beside the section of how much of a head turns; null where whole heads turn.</summary>
    public string? PartField { get; init; }

    /// <summary>The original length where no field tells; null takes the longest sequence.</summary>
    public int? OriginalPositions { get; init; }

    /// <summary>Other names of types, and what HF takes them for.</summary>
    public IReadOnlyDictionary<string, string> Aliases { get; init; } = new Dictionary<string, string>();

    /// <summary>The types that the family has; null for all.</summary>
    public string[]? Types { get; init; }

    /// <summary>Reads them.</summary>
    /// <param name="fields">The file's fields.</param>
    /// <param name="positions">The longest sequence in tokens.</param>
    public Rope Read(ModelFields fields, int positions)
    {
        var (old, current) = (fields.Section(Scaling), fields.Section(Parameters));
        var section = old is { IsEmpty: false } ? old : current;
        var original = fields.OptionalCount(Original) ?? OriginalPositions;
        var beside = Defaults with
        {
            Theta = fields.Number(ThetaField, Defaults.Theta),
            Part = PartField is null ? Whole(fields) : fields.OptionalNumber(PartField) ?? Defaults.Part,
        };
        return section is null ? beside : ReadSection(section, beside, original, positions);
    }

    /// <summary>Reads one section.</summary>
    /// <param name="section">The section's fields.</param>
    /// <param name="beside">What it leaves out.</param>
    /// <param name="original">An original length that goes before the section's.</param>
    /// <param name="positions">The longest sequence in tokens.</param>
    public Rope ReadSection(ModelFields section, Rope beside, int? original, int positions)
    {
        var scaling = ReadScaling(section, original, positions);
        var part = PartField is not null ? section.OptionalNumber(Part) ?? beside.Part
            : scaling?.Type == RopeTypes.Proportional ? 1 // the kind itself has the part
            : Whole(section);
        return new Rope(section.Number(Theta, beside.Theta), scaling, part);
    }

    /// <summary>Checks what was read.</summary>
    /// <param name="rope">The rotary positions.</param>
    /// <param name="headSize">A head's elements.</param>
    /// <param name="section">The section, for errors.</param>
    public static void Check(Rope rope, int headSize, string section)
    {
        ConfigChecks.Require(rope.Theta > 0, Theta, rope.Theta, "a number over 0");
        ConfigChecks.Require(rope.Part is > 0 and <= 1, Part, rope.Part, "a number over 0, at most 1");
        var size = rope.Size(headSize);
        var allowed = $"a share of head_dim, {headSize}, that is an even number from 2";
        ConfigChecks.Require(size >= 2 && size % 2 == 0, Part, rope.Part, allowed);
        RopeTypes.Check(rope.Scaling, section, size);
    }

    /// <summary>A scaling in HF's form.</summary>
    public static JsonObject? Write(RopeScaling? scaling)
    {
        if (scaling is null)
            return null;
        var json = new JsonObject
        {
            [Factor] = ConfigText.Exact(scaling.Factor),
            [High] = ConfigText.Exact(scaling.HighFrequencyFactor),
            [Low] = ConfigText.Exact(scaling.LowFrequencyFactor),
            [Original] = scaling.OriginalPositions,
            [Type] = scaling.Type,
        };
        var plain = new RopeScaling { Type = scaling.Type };
        if (scaling.AttentionFactor is { } attention)
            json[Attention] = attention;
        if (scaling.BetaFast != plain.BetaFast)
            json[BetaFast] = scaling.BetaFast;
        if (scaling.BetaSlow != plain.BetaSlow)
            json[BetaSlow] = scaling.BetaSlow;
        if (scaling.MScale != 0)
            json["mscale"] = scaling.MScale;
        if (scaling.MScaleAllDim != 0)
            json["mscale_all_dim"] = scaling.MScaleAllDim;
        if (scaling.Part != 1)
            json[Part] = scaling.Part;
        if (!scaling.Truncate)
            json["truncate"] = false;
        if (scaling.ShortFactors is { } shorts)
            json[Short] = List(shorts);
        if (scaling.LongFactors is { } longs)
            json[Long] = List(longs);
        return json;
    }

    private static JsonArray List(RopeFactors factors) =>
        [.. Enumerable.Range(0, factors.Count).Select(i => (JsonNode)factors[i])];

    private RopeScaling? ReadScaling(ModelFields section, int? original, int positions)
    {
        var field = !section.Has(Type) && section.Has(OldType) ? OldType : Type;
        var written = section.Text(field, RopeTypes.Default);
        var type = Aliases.GetValueOrDefault(written, written);
        section.Know(OldType);
        var allowed = Types ?? [.. RopeTypes.Names.Where(name => PartField is null || name != RopeTypes.Proportional)];
        if (!allowed.Contains(type))
        {
            section.Refuse(field, $"'{written}'", $"one of {string.Join(", ", allowed)}");
            return null;
        }

        foreach (var need in RopeTypes.Needs(type).Where(need => !section.Has(need)))
            section.Refuse(need, "missing", $"a number, as {type} needs one");
        var isProportional = type == RopeTypes.Proportional;
        var otherwise = new RopeScaling { Type = type };
        var length = original ?? section.Count(Original, positions);
        var scaling = otherwise with
        {
            Factor = section.Number(Factor, isProportional ? 1 : positions / (float)length),
            LowFrequencyFactor = section.Number(Low, otherwise.LowFrequencyFactor),
            HighFrequencyFactor = section.Number(High, otherwise.HighFrequencyFactor),
            OriginalPositions = length,
            AttentionFactor = section.OptionalNumber(Attention),
            BetaFast = Or(section.OptionalNumber(BetaFast), otherwise.BetaFast),
            BetaSlow = Or(section.OptionalNumber(BetaSlow), otherwise.BetaSlow),
            MScale = section.OptionalNumber("mscale") ?? 0,
            MScaleAllDim = section.OptionalNumber("mscale_all_dim") ?? 0,
            Part = isProportional ? section.OptionalNumber(Part) ?? 1 : 1,
            Truncate = section.Flag("truncate", true),
            ShortFactors = section.Numbers(Short) is { } shorts ? new RopeFactors(shorts) : null,
            LongFactors = section.Numbers(Long) is { } longs ? new RopeFactors(longs) : null,
        };
        section.Know("finetuned", Original, Theta, Part);
        section.RefuseUnknown();
        return type == RopeTypes.Default ? null : scaling;
    }

    /// <summary>HF takes 0 for a number that is not given.</summary>
    private static double Or(double? given, double otherwise) => given is null or 0 ? otherwise : given.Value;

    /// <summary>Refuses what no model of the family has: heads of which a part turns.</summary>
    private static double Whole(ModelFields fields)
    {
        if (fields.OptionalNumber(Part) is { } part and not 1)
            fields.Refuse(Part, FormattableString.Invariant($"{part}"), "1");
        return 1;
    }
}
