using System.Text.Json.Nodes;

namespace OrtPeft.Models.Configuration;

/// <summary>The fields of mixtures of experts.</summary>
internal static class ExpertFields
{
    public const string CountField = "num_experts";
    public const string PerTokenField = "num_experts_per_tok";
    public const string InnerField = "moe_intermediate_size";
    public const string SharedField = "shared_expert_intermediate_size";
    private const string LocalCountField = "num_local_experts";
    private const string NormalizedField = "norm_topk_prob";
    private const string StepField = "decoder_sparse_step";
    private const string DenseField = "mlp_only_layers";

    /// <summary>How many experts there are; HF takes either name.</summary>
    public static int Count(ModelFields fields, int otherwise)
    {
        var (local, count) = (fields.OptionalWhole(LocalCountField), fields.OptionalWhole(CountField));
        if (local is { } a && count is { } b && a != b)
            fields.Refuse(CountField, $"{b}", $"{a}, as {LocalCountField} says, or only one of them");
        return local ?? count ?? otherwise;
    }

    /// <summary>Refuses a loss of the router's own; what is random in training only is left out, as dropout is.</summary>
    public static void RefuseRouterLoss(ModelFields fields)
    {
        fields.Know("router_aux_loss_coef", "router_jitter_noise");
        fields.RefuseWhereSet("output_router_logits", "false: the router's own loss is not part of the graph");
    }

    /// <summary>Reads them as Qwen-MoE.</summary>
    /// <param name="fields">The file's fields.</param>
    /// <param name="layers">How many layers there are.</param>
    /// <param name="defaults">What the file leaves out.</param>
    /// <returns>The experts, or null where no layer has any.</returns>
    public static ExpertMixture? Read(ModelFields fields, int layers, ExpertMixture defaults)
    {
        RefuseRouterLoss(fields);
        var count = Count(fields, defaults.Count);
        var step = fields.Count(StepField, 1);
        var dense = fields.Wholes(DenseField) ?? [];
        int[] without = [.. Enumerable.Range(0, layers).Where(i => dense.Contains(i) || (i + 1) % step != 0)];
        var mixture = defaults with
        {
            Count = count,
            PerToken = fields.Count(PerTokenField, defaults.PerToken),
            InnerSize = fields.Count(InnerField, defaults.InnerSize),
            IsNormalized = fields.Flag(NormalizedField, defaults.IsNormalized),
            SharedInnerSize = defaults.SharedInnerSize is { } shared ? fields.Count(SharedField, shared) : null,
            DenseLayers = without.Length > 0 ? new LayerSet(without) : null,
        };
        return count == 0 || without.Length == layers ? null : mixture;
    }

    /// <summary>Writes them.</summary>
    public static void Write(ExpertMixture? experts, int layers, JsonObject json)
    {
        json[CountField] = experts?.Count ?? 0;
        if (experts is null)
            return;
        json[PerTokenField] = experts.PerToken;
        json[InnerField] = experts.InnerSize;
        json[NormalizedField] = experts.IsNormalized;
        if (experts.SharedInnerSize is { } shared)
            json[SharedField] = shared;
        json[DenseField] = new JsonArray(
            [.. Enumerable.Range(0, layers).Where(i => experts.DenseLayers?.Contains(i) == true).Select(static i => (JsonNode)i)]);
    }
}
