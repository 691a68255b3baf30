using OrtPeft.Models.Configuration;
using OrtPeft.Models.Llama;
using OrtPeft.Models.Rotary;

namespace OrtPeft.Models.Phi3;

/// <summary>
/// Phi-3, Phi-3.5 and Phi-4: built like Llama, with queries, keys and values in one layer and gate and up in another.
/// Defaults are those of HF's <c>Phi3Config</c>.
/// </summary>
/// <seealso href="https://huggingface.co/docs/transformers/model_doc/phi3#transformers.Phi3Config"/>
internal static class Phi3Family
{
    private const int OriginalPositions = 4096;

    private static readonly LlamaKind Kind = new()
    {
        ModelType = "phi3",
        Architecture = "Phi3ForCausalLM",
        IsPacked = true,
        ReadRope = LlamaKind.RopeReader(static defaults => new RopeFields
        {
            Defaults = defaults,
            PartField = RopeFields.Part,
            OriginalPositions = OriginalPositions,
            Types = [RopeTypes.Default, RopeTypes.LongRope],
            Aliases = new Dictionary<string, string>
            {
                ["su"] = RopeTypes.LongRope,
                ["yarn"] = RopeTypes.LongRope,
            },
        }),
        ReadOwn = static (fields, config) =>
        {
            LayerTypes.RequireFull(fields, config.Layers);
            fields.Know("full_attn_mod", "interpolate_factor"); // of Phi-4's first code; HF reads neither
            return config with { SlidingWindow = LayerTypes.ReadOfAll(fields, config.Layers, null) };
        },
        WriteOwn = static (config, json) =>
        {
            json[RopeFields.Part] = config.RotaryPart;
            json[RopeFields.Original] = config.RopeScaling?.OriginalPositions ?? OriginalPositions;
            LayerTypes.WriteOfAll(config.SlidingWindow, json);
        },
    };

    public static LlamaConfig Defaults { get; } = new()
    {
        Kind = Kind,
        VocabSize = 32064,
        HiddenSize = 3072,
        IntermediateSize = 8192,
        Positions = 4096,
        RmsNormEpsilon = 1e-5f,
        EosTokenId = 32000,
    };
}
