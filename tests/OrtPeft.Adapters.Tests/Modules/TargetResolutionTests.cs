using OrtPeft.Adapters.Modules;

namespace OrtPeft.Adapters.Tests.Modules;

public sealed class TargetResolutionTests
{
    /// <summary>HF PEFT's tables of default targets.</summary>
    [Fact]
    public void DefaultTargets_OfAllFamilies_AreThoseOfHfPeft()
    {
        Assert.Equal<string[]>(
            [["c_attn"], ["q_proj", "v_proj"], ["query_key_value"]], TargetResolution.QueriesAndValues);
        Assert.Equal<string[]>(
            [["c_attn", "mlp.c_proj"], ["k_proj", "v_proj", "down_proj"], ["query_key_value", "dense_4h_to_h"]],
            TargetResolution.ByFamily(static f => f.ScaledByIa3));
    }
}
