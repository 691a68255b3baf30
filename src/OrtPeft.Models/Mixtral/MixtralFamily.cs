using OrtPeft.Models.Building;
using OrtPeft.Models.Configuration;
using OrtPeft.Models.Llama;

namespace OrtPeft.Models.Mixtral;

/// <summary>
/// Mixtral: Mistral with experts in place of MLPs. Defaults are those of HF's <c>MixtralConfig</c>.
/// </summary>
/// <seealso href="https://huggingface.co/docs/transformers/model_doc/mixtral#transformers.MixtralConfig"/>
internal static class MixtralFamily
{
    private static readonly LlamaKind Kind = new()
    {
        ModelType = "mixtral",
        Architecture = "MixtralForCausalLM",
        ExpertSources = new ExpertSources("block_sparse_moe", "w1", "w3", "w2"),
        ReadOwn = static (fields, config) =>
        {
            ExpertFields.RefuseRouterLoss(fields);
            LayerTypes.RequireFull(fields, config.Layers);
            return config with
            {
                SlidingWindow = LayerTypes.ReadOfAll(fields, config.Layers, null),
                Experts = config.Experts! with
                {
                    Count = ExpertFields.Count(fields, config.Experts.Count),
                    PerToken = fields.Count(ExpertFields.PerTokenField, config.Experts.PerToken),
                    InnerSize = config.IntermediateSize,
                },
            };
        },
        WriteOwn = static (config, json) =>
        {
            LayerTypes.WriteOfAll(config.SlidingWindow, json);
            json[ExpertFields.CountField] = config.Experts!.Count;
            json[ExpertFields.PerTokenField] = config.Experts.PerToken;
        },
    };

    public static LlamaConfig Defaults { get; } = new()
    {
        Kind = Kind,
        Positions = 131072,
        IntermediateSize = 14336,
        KeyValueHeads = 8,
        RmsNormEpsilon = 1e-5f,
        RopeTheta = 1_000_000,
        Experts = new ExpertMixture { Count = 8, PerToken = 2, InnerSize = 14336, IsNormalized = true },
    };
}
