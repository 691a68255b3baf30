using System.Text.Json.Nodes;
using OrtPeft.Adapters.Configuration;

namespace OrtPeft.Adapters.Tests.Modules;

/// <summary>
/// Everything that a configuration names has to be there when an adapter is made: a fresh one is refused, and one with
/// weights, which comes from elsewhere, tells what is not. GPT-2 has two layers.
/// </summary>
public sealed class UnmatchedNamesTests
{
    public static TheoryData<string, string> Unmatched => new()
    {
        { """{"peft_type":"LORA","target_modules":["c_attn","vproj"]}""", "target_modules has 'vproj'" },
        { """{"peft_type":"LORA","target_modules":["vproj","c_attn"]}""", "target_modules has 'vproj'" },
        { """{"peft_type":"LORA","target_modules":["c_attn","ln_1"]}""", "target_modules has 'ln_1'" },
        { """{"peft_type":"LORA","target_modules":["c_attn","all-linear"]}""", "target_modules lists 'all-linear'" },
        { """{"peft_type":"LOHA","target_modules":["c_attn","wte"]}""", "target_modules has 'wte'" },
        { """{"peft_type":"LN_TUNING","target_modules":["ln_1","c_at"]}""", "target_modules has 'c_at'" },
        { """{"peft_type":"BITFIT","target_modules":["c_attn","ln_9"]}""", "target_modules has 'ln_9'" },
        { """{"peft_type":"VERA","target_modules":["c_attn","c_at"]}""", "target_modules has 'c_at'" },
        { """{"peft_type":"LORA","exclude_modules":["lyers.1"]}""", "exclude_modules has 'lyers.1'" },
        { """{"peft_type":"LORA","exclude_modules":["h.1.attn","h.2.attn"]}""", "exclude_modules has 'h.2.attn'" },
        { """{"peft_type":"LORA","exclude_modules":["attn"]}""", "exclude_modules has 'attn', which holds modules" },
        { """{"peft_type":"LORA","exclude_modules":"mlp"}""", "exclude_modules 'mlp' is a regular expression" },
        {
            """{"peft_type":"LORA","layers_to_transform":[0,9]}""",
            "layers_to_transform has 9; the targets are in the layers 0 to 1"
        },
        { """{"peft_type":"LORA","layers_to_transform":[-1,1]}""", "layers_to_transform has -1" },
        {
            """{"peft_type":"LORA","target_modules":"all-linear","layers_to_transform":[2,1]}""",
            "layers_to_transform has 2"
        },
        { """{"peft_type":"IA3","layers_to_transform":[0,2]}""", "layers_to_transform has 2" },
        {
            """{"peft_type":"LORA","layers_to_transform":[0],"layers_pattern":["h","blocks"]}""",
            "layers_pattern has 'blocks'"
        },
        { """{"peft_type":"LORA","layers_pattern":"h"}""", "layers_pattern h stands without layers_to_transform" },
        { """{"peft_type":"LORA","rank_pattern":{"cattn":2}}""", "rank_pattern has 'cattn', which matches no adapted" },
        { """{"peft_type":"LORA","rank_pattern":{"c_fc":2}}""", "rank_pattern has 'c_fc', which matches no adapted" },
        {
            """{"peft_type":"LORA","rank_pattern":{"c_attn":2,"h.0.attn.c_attn":4}}""",
            "rank_pattern has 'h.0.attn.c_attn' after"
        },
        { """{"peft_type":"LORA","alpha_pattern":{"^c_attn":2}}""", "alpha_pattern has '^c_attn'" },
        { """{"peft_type":"LORA","bias":"all","alpha_pattern":{"c_fc":2}}""", "alpha_pattern has 'c_fc'" },
        { """{"peft_type":"LOKR","alpha_pattern":{"c_fc":2}}""", "alpha_pattern has 'c_fc'" },
        { """{"peft_type":"LORA","modules_to_save":["ln_f","classifier"]}""", "modules_to_save 'classifier'" },
        {
            """{"peft_type":"IA3","target_modules":["c_attn"],"feedforward_modules":["c_proj"]}""",
            "feedforward_modules has 'c_proj'"
        },
        {
            """{"peft_type":"IA3","target_modules":["c_attn"],"feedforward_modules":".*c_fc"}""",
            "feedforward_modules '.*c_fc'"
        },
        { """{"peft_type":"BOTTLENECK","leave_out":[0,5]}""", "leave_out has 5" },
        { """{"peft_type":"BOTTLENECK","reduction_factor":{"0":4,"7":8,"default":16}}""", "reduction_factor has 7" },
    };

    public static TheoryData<string> Matched =>
    [
        """{"peft_type":"LORA"}""",
        """{"peft_type":"LORA","target_modules":["wte","attn","transformer.h.1.mlp.c_fc","lm_head"]}""",
        """{"peft_type":"LORA","target_modules":"all-linear","exclude_modules":["attn.c_attn","ln_1","0.mlp.c_fc"]}""",
        """{"peft_type":"LORA","target_modules":["c_attn"],"exclude_modules":".*mlp.*"}""",
        """{"peft_type":"LORA","target_modules":"all-linear","layers_to_transform":[1]}""",
        """{"peft_type":"LORA","target_modules":["c_fc","c_attn"],"layers_to_transform":[1,0],"layers_pattern":"h"}""",
        """{"peft_type":"LORA","layers_to_transform":[1],"layers_pattern":""}""",
        """{"peft_type":"LORA","layers_to_transform":1,"layers_pattern":[]}""",
        """{"peft_type":"LORA","target_modules":["transformer.h.1.attn.c_attn"],"layers_to_transform":[0]}""",
        """{"peft_type":"LORA","rank_pattern":{"h.0.attn.c_attn":4,"c_attn":2},"alpha_pattern":{"0.*.c_attn":3}}""",
        """{"peft_type":"LORA","target_modules":["wte"],"rank_pattern":{"wte":2}}""",
        """{"peft_type":"LORA","modules_to_save":["ln_f","lm_head"]}""",
        """{"peft_type":"IA3","feedforward_modules":["mlp.c_proj"]}""",
        """{"peft_type":"IA3","target_modules":["c_attn"],"feedforward_modules":[]}""",
        """{"peft_type":"LN_TUNING","target_modules":["ln_1"],"layers_to_transform":[1]}""",
        """{"peft_type":"BITFIT","target_modules":["c_attn","ln_1"]}""",
        """{"peft_type":"BOTTLENECK","leave_out":[1],"reduction_factor":{"0":4,"default":16}}""",
    ];

    [Theory]
    [MemberData(nameof(Unmatched))]
    public void Create_WhenAnEntryMatchesNothing_IsRefused(string json, string said)
    {
        var error = Assert.Throws<ConfigException>(() => PeftModel.Create(Gpt2.Open(Gpt2.Imported), Config(json)));

        Assert.Contains(said, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Matched))]
    public void Create_WhenAllEntriesMatch_IsMade(string json)
    {
        var model = PeftModel.Create(Gpt2.Open(Gpt2.Imported), Config(json));

        Assert.Empty(model.Adapters.UnmatchedOf(PeftModel.DefaultName));
    }

    [Fact]
    public void Create_WithWeights_TellsWhatMatchesNothing()
    {
        var weights = PeftModel.Create(Gpt2.Open(Gpt2.Imported), Config("""{"peft_type":"LORA"}""")).GetWeights();
        var config = Config(
            """{"peft_type":"LORA","target_modules":["c_attn","vproj"],"modules_to_save":["score"]}""");

        var model = PeftModel.Create(Gpt2.Open(Gpt2.Imported), config, weights, "weights");

        Assert.Collection(
            model.Adapters.UnmatchedOf(PeftModel.DefaultName),
            static c => Assert.StartsWith("target_modules has 'vproj'", c, StringComparison.Ordinal),
            static c => Assert.StartsWith("modules_to_save 'score'", c, StringComparison.Ordinal));
    }

    private static PeftConfig Config(string json) =>
        PeftMethods.Read(new ConfigFields(JsonNode.Parse(json)!.AsObject(), "test"), "test");
}
