using System.Text.Json.Nodes;
using OrtPeft.Models.Configuration;
using OrtPeft.Models.Llama;
using OrtPeft.Models.Rotary;

namespace OrtPeft.Models.Gemma;

/// <summary>
/// The text models of Gemma 3: as Gemma 2 without bounds, with each head of queries and keys normalised, a window in
/// five layers of six and other angles there. Defaults are those of HF's <c>Gemma3TextConfig</c>.
/// </summary>
/// <seealso href="https://huggingface.co/docs/transformers/model_doc/gemma3#transformers.Gemma3TextConfig"/>
internal static class Gemma3Family
{
    private const string FullSection = "full_attention";
    private const string SlidingSection = "sliding_attention";

    private static readonly LlamaKind Kind = new()
    {
        ModelType = "gemma3_text",
        Architecture = "Gemma3ForCausalLM",
        ActivationField = "hidden_activation",
        NormOffset = 1,
        Norms = BlockNorms.Around,
        QueryKeyNorms = QueryKeyNorms.OfHeads,
        ReadRope = ReadRope,
        ReadOwn = ReadOwn,
        WriteOwn = WriteOwn,
    };

    public static LlamaConfig Defaults { get; } = Gemma2Family.Defaults with
    {
        Kind = Kind,
        VocabSize = 262208,
        Positions = 131072,
        RopeTheta = 1_000_000,
        LocalRopeTheta = 10_000,
        ScoreSoftcap = null,
        LogitsSoftcap = null,
    };

    private static LlamaConfig ReadOwn(ModelFields fields, LlamaConfig config)
    {
        const int DefaultPattern = 6;
        fields.Know("attn_logit_softcapping"); // HF's attention does not read it
        var pattern = fields.Count("sliding_window_pattern", DefaultPattern);
        return Gemma2Family.ReadShared(fields, config, i => (i + 1) % pattern != 0) with
        {
            LogitsSoftcap = fields.OptionalNumber("final_logit_softcapping", whenAbsent: null),
        };
    }

    /// <summary>
    /// Each kind of layer has a section in <c>rope_parameters</c>; old files have <c>rope_theta</c> and
    /// <c>rope_scaling</c> for full attention and <c>rope_local_base_freq</c> for the other.
    /// </summary>
    private static LlamaConfig ReadRope(ModelFields fields, LlamaConfig config)
    {
        var old = fields.Section(RopeFields.Scaling);
        var sections = fields.Section(RopeFields.Parameters);
        var reader = new RopeFields { Defaults = config.Rope };
        var all = new Rope(fields.Number(RopeFields.Theta, config.RopeTheta));
        var local = new Rope(fields.Number("rope_local_base_freq", config.LocalRopeTheta!.Value));
        if (sections?.Section(FullSection) is { } full)
            all = reader.ReadSection(full, all, null, config.Positions);
        if (old is { IsEmpty: false })
            all = reader.ReadSection(old, all, null, config.Positions);
        if (sections?.Section(SlidingSection) is { } sliding)
            local = reader.ReadSection(sliding, local, null, config.Positions);
        sections?.Know(RopeFields.Type, RopeFields.Theta); // HF writes them beside the sections, and reads neither
        sections?.RefuseUnknown();
        return config with
        {
            RopeTheta = all.Theta,
            RopeScaling = all.Scaling,
            LocalRopeTheta = local.Theta,
            LocalRopeScaling = local.Scaling,
        };
    }

    private static void WriteOwn(LlamaConfig config, JsonObject json)
    {
        Gemma2Family.WriteShared(config, json);
        json.Remove(RopeFields.Scaling);
        json.Remove(RopeFields.Theta);
        json[RopeFields.Parameters] = new JsonObject
        {
            [FullSection] = Section(config.RopeTheta, config.RopeScaling),
            [SlidingSection] = Section(config.LocalRopeTheta!.Value, config.LocalRopeScaling),
        };
    }

    private static JsonObject Section(float theta, RopeScaling? scaling)
    {
        var json = RopeFields.Write(scaling) ?? new JsonObject { [RopeFields.Type] = RopeTypes.Default };
        json[RopeFields.Theta] = ConfigText.Exact(theta);
        return json;
    }
}
