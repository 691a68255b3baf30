using System.Text.RegularExpressions;
using OrtPeft.Adapters;

namespace OrtPeft.Training.Runtime;

/// <summary>The parameters that weight decay leaves as they are, by transformers' rule: biases, and what normalises.</summary>
/// <seealso href="https://github.com/huggingface/transformers/blob/main/src/transformers/trainer.py">get_decay_parameter_names
/// of HF's Trainer.</seealso>
internal static partial class WeightDecayGroups
{
    public static bool IsExempt(AdapterParameter parameter, TrainingArguments arguments) =>
        !arguments.DecayBiasesAndNorms && IsBiasOrNorm(parameter.Name);

    /// <summary>Whether a parameter's name says a bias, or what normalises.</summary>
    public static bool IsBiasOrNorm(string parameter) => Bias().IsMatch(parameter) || Norm().IsMatch(parameter);

    [GeneratedRegex("bias", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Bias();

    /// <summary>Transformers' names of norms, and those of its modules that are told by their class there: GPT-2's
    /// <c>ln_1</c>, MPT's <c>norm_1</c>, GPT-NeoX's <c>final_layer_norm</c>.</summary>
    [GeneratedRegex(
        @"layer_?norm|rmsnorm|(?:^|\.|_)norm(?:$|\.)|(?:^|\.)(?:ln|norm)_\w+(?:$|\.)",
        RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Norm();
}
