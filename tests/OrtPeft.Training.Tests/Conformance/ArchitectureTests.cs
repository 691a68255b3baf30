using System.Text.RegularExpressions;
using OrtPeft.Adapters;

namespace OrtPeft.Training.Tests.Conformance;

/// <summary>What methods choose on each family of models where nothing is said: HF PEFT's defaults for it.</summary>
public sealed partial class ArchitectureTests
{
    public static TheoryData<string, string, string> Rows => new()
    {
        { "lora:random", "gpt2", "c_attn" },
        { "lora:random", "llama", "q_proj v_proj" },
        { "lora:random", "qwen2", "q_proj v_proj" },
        { "vera:random", "llama", "q_proj v_proj" },
        { "lokr:random", "llama", "q_proj v_proj" },
        { "ia3", "gpt2", "c_attn c_proj" },
        { "ia3", "llama", "down_proj k_proj v_proj" },
        { "ia3", "qwen2", "down_proj q_proj v_proj" },
        { "bitfit", "gpt2", "c_attn c_fc c_proj ln_1 ln_2" },
        { "bitfit", "qwen2", "k_proj q_proj v_proj" },
        { "ln-tuning", "gpt2", "ln_1 ln_2" },
        { "ln-tuning", "llama", "input_layernorm post_attention_layernorm" },
        { "ln-tuning", "qwen2", "post_attention_layernorm" },
        { "bottleneck", "gpt2", "attention_adapters output_adapters" },
        { "bottleneck", "llama", "attention_adapters output_adapters" },
        { "bottleneck:pfeiffer", "qwen2", "output_adapters" },
    };

    public static TheoryData<string, long> Prefixes => new()
    {
        { "gpt2", 2 * 2 * 4 * 8 }, // layers · (key and value) · heads · features of a head
        { "llama", 2 * 2 * 2 * 8 },
        { "qwen2", 2 * 2 * 2 * 8 },
    };

    [Theory]
    [MemberData(nameof(Rows))]
    public void Create_WithoutTargets_TakesTheFamilysLayers(string method, string on, string expected)
    {
        var model = PeftModel.Create(BaseCases.Named(on).Open(), MethodCases.Named(method).Config);

        var names = model.Parameters.Select(static p => InFirstBlock().Match(p.Name)).Where(static m => m.Success)
            .Select(static m => m.Groups[1].Value).Distinct().Order(StringComparer.Ordinal);
        Assert.Equal(expected, string.Join(' ', names));
    }

    [Theory]
    [MemberData(nameof(Prefixes))]
    public void Prefix_HasTheKeysAndValuesOfTheCachesHeads(string on, long features)
    {
        var model = PeftModel.Create(BaseCases.Named(on).Open(), MethodCases.Named("prefix-tuning").Config);

        Assert.Equal([3, features], model.Parameters.Single().Value.Initializer!.Dims.ToArray());
    }

    /// <summary>The first name inside the first block that is not a container's.</summary>
    [GeneratedRegex(@"\.(?:h|layers)\.0\.(?:attn\.|mlp\.|self_attn\.)?(\w+)")]
    private static partial Regex InFirstBlock();
}
