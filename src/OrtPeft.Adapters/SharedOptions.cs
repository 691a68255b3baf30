using System.Text.Json.Nodes;

namespace OrtPeft.Adapters;

/// <summary>The options that several methods have.</summary>
internal static class SharedOptions
{
    public static MethodOption Targets { get; } = new(
        "--target",
        "target_modules",
        OptionForm.Modules,
        "Name endings such as c_attn,c_proj, a regular expression, or all-linear.",
        "NAMES");

    public static MethodOption Bias { get; } = new(
        "--bias",
        "bias",
        OptionForm.Text,
        "Biases of the base that train too: none, all or lora_only. [default: none]",
        "WHICH");

    public static MethodOption RankPattern { get; } = new(
        "--rank-pattern",
        "rank_pattern",
        OptionForm.NumbersByName,
        "Ranks of single modules: c_proj=4,h.0.attn.c_attn=16.",
        "NAME=R,...");

    public static MethodOption AlphaPattern { get; } = new(
        "--alpha-pattern", "alpha_pattern", OptionForm.NumbersByName, "Alphas of single modules.", "NAME=A,...");

    public static MethodOption Layers { get; } = new(
        "--layers",
        "layers_to_transform",
        OptionForm.WholeNumbers,
        "Only the layers of these numbers, from 0: 10,11.",
        "N,...");

    public static MethodOption VirtualTokens { get; } = new(
        "--num-virtual-tokens",
        "num_virtual_tokens",
        OptionForm.WholeNumber,
        "Virtual tokens of prompt, p- and prefix tuning. [default: 20]",
        "P");

    /// <summary>The rank, and with it an alpha of twice the rank.</summary>
    /// <param name="alpha">The field of the alpha; null where the method has none.</param>
    public static MethodOption Rank(string? alpha) => new(
        "--rank", "r", OptionForm.WholeNumber, "The rank r of low-rank methods. [default: 8]", "R")
    {
        Implies = alpha is null ? null : (alpha, static rank => (JsonNode)(2 * rank.GetValue<int>())),
    };

    public static MethodOption Alpha(string field) => new(
        "--alpha",
        field,
        OptionForm.Number,
        "Low-rank methods scale by alpha / rank. [default: 2 · rank where --rank is given, else 8]",
        "A");

    public static MethodOption Dropout(string field) => new(
        "--dropout", field, OptionForm.Number, "The probability that a feature is dropped. [default: 0]", "P");
}
