using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;

namespace OrtPeft.Adapters.Modules;

/// <summary>
/// The modules that methods adapt where none are named, one list for each naming family, by HF PEFT's tables. Families
/// that the graph passes know give their own names; the others stand here.
/// </summary>
/// <seealso href="https://github.com/huggingface/peft/blob/main/src/peft/utils/constants.py">HF PEFT's tables.</seealso>
internal static class DefaultTargets
{
    /// <summary>The normalisation before the MLP that Gemma 2 and 3 have.</summary>
    public const string NormBeforeMlp = "pre_feedforward_layernorm";

    /// <summary>Of methods that adapt what makes queries and values.</summary>
    public static IReadOnlyList<string[]> QueriesAndValues { get; } =
    [
        .. ByFamily(static f => [Ending(f.Query), Ending(f.Value)]),
        ["Wqkv"], // MPT
        ["attn.qkv_proj"], // CodeGen
    ];

    /// <summary>Of LoRA and what is made like it: of Phi's layers also those of the MLP.</summary>
    public static IReadOnlyList<string[]> OfLora { get; } =
        [["q_proj", "v_proj", "mlp.fc1", "mlp.fc2"], .. QueriesAndValues];

    /// <summary>Of IA³; the last name of each list is the feed-forward module.</summary>
    public static IReadOnlyList<string[]> OfIa3 { get; } =
    [
        ["q_proj", "v_proj", "mlp.fc2"], // Phi
        ["q_proj", "k_proj", "fc2"], // OPT
        ["q_proj", "v_proj", "fc_out"], // GPT-J
        ["q_proj", "v_proj", "mlp.c_proj"], // GPT-Neo
        ["k_proj", "v_proj", "w2"], // Mixtral, its experts in modules of their own
        .. ByFamily(static f => f.ScaledByIa3),
    ];

    /// <summary>Of IA³ on a graph: Qwen and Gemma scale queries where Llama scales keys. Where the MLP's experts are no
    /// modules, as in Mixtral, attention alone is left.</summary>
    public static IReadOnlyList<string[]> Ia3Of(Graph graph) =>
        LlamaRelatives.IsQwen(graph) || LlamaRelatives.IsGemma(graph)
            ? [["q_proj", "v_proj", "down_proj"], .. OfIa3, ["q_proj", "v_proj"]]
            : [.. OfIa3, ["k_proj", "v_proj"]];

    /// <summary>Of normalisation tuning on a graph; null where all normalisations train.</summary>
    public static ModuleTargets? NormsOf(Graph graph)
    {
        if (LlamaRelatives.IsQwen(graph))
            return ModuleTargets.Create(["post_attention_layernorm"]);
        return LlamaRelatives.IsGemma2(graph)
            ? ModuleTargets.Create(
            [
                "input_layernorm", "post_attention_layernorm", NormBeforeMlp, "post_feedforward_layernorm", "norm",
            ])
            : null;
    }

    /// <summary>A family's targets, repeats left out; no list where it has none.</summary>
    private static IReadOnlyList<string[]> ByFamily(Func<DecoderFamily, IEnumerable<string>> targets) =>
    [
        .. DecoderFamilies.All.Select(f => targets(f).Distinct().ToArray()).Where(static names => names.Length > 0)
            .DistinctBy(static names => string.Join(',', names)),
    ];

    private static string Ending(string path) => path[(path.LastIndexOf('.') + 1)..];
}
