using OrtPeft.Onnx.Passes;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Tests.Passes;

public sealed class ParameterNamesTests
{
    [Theory]
    [InlineData("m.transformer.h.0.attn.c_attn", "transformer.h.0.attn.c_attn")]
    [InlineData("m.h.11.attn.c_attn", "transformer.h.11.attn.c_attn")]
    [InlineData("h.0.mlp.c_fc", "transformer.h.0.mlp.c_fc")]
    [InlineData("transformer.h.0.attn.c_attn", "transformer.h.0.attn.c_attn")]
    [InlineData("module.model.layers.3.self_attn.q_proj", "model.layers.3.self_attn.q_proj")]
    [InlineData("gpt_neox.layers.3.attention.dense", "gpt_neox.layers.3.attention.dense")]
    [InlineData("m.lm_head", "lm_head")]
    [InlineData("encoder.h.attn", "encoder.h.attn")]
    [InlineData("classifier", "classifier")]
    public void Canonical_OnAModulesName_GivesHfsName(string name, string expected) =>
        Assert.Equal(expected, ParameterNames.Canonical(name));

    [Fact]
    public void Run_OnAWrappedModel_RenamesWhatStandsBesideTheLayersToo()
    {
        var model = new Model(21);
        foreach (var name in (string[])["m.h.0.ln_1.weight", "m.ln_f.weight", "m.wte.weight", "other.weight"])
            model.Graph.AddInitializer(name, Tensor.Vector(1f));

        ParameterNames.Run(model);

        string[] expected =
            ["transformer.h.0.ln_1.weight", "transformer.ln_f.weight", "transformer.wte.weight", "other.weight"];
        Assert.Equal(expected, model.Graph.Initializers.Select(static v => v.Name));
    }

    [Fact]
    public void Run_WhenTheNameIsTaken_KeepsTheOldOne()
    {
        var model = new Model(21);
        model.Graph.AddInitializer("transformer.h.0.ln_1.weight", Tensor.Vector(1f));
        model.Graph.AddInitializer("m.h.0.ln_1.weight", Tensor.Vector(1f));

        ParameterNames.Run(model);

        Assert.NotNull(model.Graph.Find("m.h.0.ln_1.weight"));
    }
}
