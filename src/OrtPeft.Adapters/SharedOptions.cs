using System.Text.Json.Nodes;

namespace OrtPeft.Adapters;

/// <summary>The options that several methods have.</summary>
internal static class SharedOptions
{
    public static MethodOption Targets { get; } = new(
        "--target",
        "target_modules",
        OptionForm.Modules,
        "Layers to adapt: name endings such as c_attn,c_proj, a regular expression, or all-linear.",
        "NAMES");

    public static MethodOption Bias { get; } = new(
        "--bias",
        "bias",
        OptionForm.Text,
        "Biases of the base to train as well: none, all or lora_only. [default: none]",
        "WHICH");

    public static MethodOption RankPattern { get; } = new(
        "--rank-pattern",
        "rank_pattern",
        OptionForm.NumbersByName,
        "Ranks for individual modules: c_proj=4,h.0.attn.c_attn=16.",
        "NAME=R,...");

    public static MethodOption AlphaPattern { get; } = new(
        "--alpha-pattern", "alpha_pattern", OptionForm.NumbersByName, "Alphas for individual modules.", "NAME=A,...");

    public static MethodOption Layers { get; } = new(
        "--layers",
        "layers_to_transform",
        OptionForm.WholeNumbers,
        "Adapt only the layers with these indices, from 0: 10,11.",
        "N,...");

    public static MethodOption VirtualTokens { get; } = new(
        "--num-virtual-tokens",
        "num_virtual_tokens",
        OptionForm.WholeNumber,
        "Number of virtual tokens of prompt, p- and prefix tuning. [default: 20]",
        "P");

    /// <summary>The rank, and with it an alpha of twice the rank.</summary>
    /// <param name="alpha">The field of the alpha; null where the method has none.</param>
    public static MethodOption Rank(string? alpha) => new(
        "--rank", "r", OptionForm.WholeNumber, "Rank r of low-rank methods. [default: 8]", "R")
    {
        Implies = alpha is null ? null : (alpha, static rank => (JsonNode)(2 * rank.GetValue<int>())),
    };

    public static MethodOption Alpha(string field) => new(
        "--alpha",
        field,
        OptionForm.Number,
        "Scaling numerator: the update is scaled by alpha / rank. [default: 2 × rank if --rank is given, otherwise 8]",
        "A");

    public static MethodOption Dropout(string field) => new(
        "--dropout", field, OptionForm.Number, "Dropout probability. [default: 0]", "P");
}
