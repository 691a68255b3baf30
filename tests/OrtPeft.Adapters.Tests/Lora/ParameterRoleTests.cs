using OrtPeft.Adapters.Lora;

namespace OrtPeft.Adapters.Tests.Lora;

/// <summary>What LoRA+ asks of parameters.</summary>
public sealed class ParameterRoleTests
{
    [Fact]
    public void Roles_OfLoraOnLayersAndEmbeddings_TellBFromOthers()
    {
        var model = Create(new LoraConfig { TargetModules = ["c_attn", "wte"], Bias = "lora_only" });

        Assert.Equal(
            [ParameterRole.None, ParameterRole.LoraB],
            RolesOf(model, "transformer.h.0.attn.c_attn.lora_A", "transformer.h.0.attn.c_attn.lora_B"));
        Assert.Equal(
            [ParameterRole.EmbeddingA, ParameterRole.EmbeddingB],
            RolesOf(model, "transformer.wte.lora_embedding_A", "transformer.wte.lora_embedding_B"));
        Assert.Equal([ParameterRole.None], RolesOf(model, "transformer.h.0.attn.c_attn.base_layer.bias"));
    }

    [Fact]
    public void Roles_OfSeveralAdapters_AreThoseOfEach()
    {
        var model = Create(new LoraConfig { TargetModules = ["c_attn"] });
        model.Adapters.Add("second", new LoraConfig { TargetModules = ["c_attn"], R = 2 });

        model.Adapters.Set("default", "second");

        Assert.All(model.Parameters, static p => Assert.Equal(
            p.Name.Contains(".lora_B.", StringComparison.Ordinal) ? ParameterRole.LoraB : ParameterRole.None, p.Role));
    }

    private static PeftModel Create(LoraConfig config) => PeftModel.Create(Gpt2.Open(Gpt2.Imported), config);

    private static IEnumerable<ParameterRole> RolesOf(PeftModel model, params string[] names) => names.Select(name =>
        model.Parameters.First(p => p.Name.StartsWith($"base_model.model.{name}", StringComparison.Ordinal)).Role);
}
