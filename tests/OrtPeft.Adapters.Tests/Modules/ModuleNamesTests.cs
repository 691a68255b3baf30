using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Modules;

/// <summary>Where the parts of a layer disagree on its name, and where none tells it.</summary>
public sealed class ModuleNamesTests
{
    [Theory]
    [InlineData("model.decoder.layers.0.fc1.bias", "/decoder/layers.0/fc1", "model.decoder.layers.0.fc1")]
    [InlineData("b", "/decoder/layers.0/fc1", "decoder.layers.0.fc1")]
    public void LinearModules_WhenBiasAndScopeDisagree_TakeTheParametersPath(string bias, string scope, string expected)
    {
        var model = SmallGraphs.Of((g, x) =>
        {
            g.Scope = scope;
            return g.Op("Relu", g.Add(g.MatMul(x, SmallGraphs.Weight(g, "onnx::MatMul_7", 2, 4)), SmallGraphs.Bias(g, bias)));
        });

        var module = Assert.Single(ModuleCatalogue.LinearModules(model.Graph));

        Assert.Equal((expected, true), (module.Name, module.HasSourceName));
    }

    /// <summary>One name for two weights would put one adapter on the first and silently none on the second.</summary>
    [Fact]
    public void LinearModules_WhenTwoWeightsHaveOneName_AreTwo()
    {
        var model = SmallGraphs.Of(static (g, x) =>
        {
            g.Scope = "/model/layers.0/self_attn/in_proj";
            var first = g.MatMul(x, SmallGraphs.Weight(g, "val_1", 2, 4));
            return g.Op("Relu", g.MatMul(first, SmallGraphs.Weight(g, "val_2", 4, 4)));
        });

        var modules = ModuleCatalogue.LinearModules(model.Graph);

        Assert.Equal(
            [("model.layers.0.self_attn.in_proj", true), ("model.layers.0.self_attn.in_proj_1", false)],
            modules.Select(static m => (m.Name, m.HasSourceName)));
    }

    /// <summary>A product in a container's scope is no module of the source: two of them stay two, and are named
    /// stably.</summary>
    [Fact]
    public void LinearModules_WhenTheScopeIsAContainers_AreNamedAfterTheirNodes()
    {
        var model = SmallGraphs.Of(static (g, x) =>
        {
            g.Scope = "/model/layers.0";
            var norm = g.Mul(x, g.Graph.AddInitializer("model.layers.0.norm.weight", Tensors.Tensor.Vector(1f, 2f)));
            var first = g.MatMul(norm, SmallGraphs.Weight(g, "val_1", 2, 4));
            return g.Op("Relu", g.MatMul(first, SmallGraphs.Weight(g, "val_2", 4, 4)));
        });

        var modules = ModuleCatalogue.LinearModules(model.Graph);

        Assert.All(modules, static m => Assert.False(m.HasSourceName));
        Assert.Equal(2, modules.Select(static m => m.Name).Distinct().Count());
        Assert.All(modules, static m => Assert.StartsWith("model.layers.0.", m.Name, StringComparison.Ordinal));
    }

    /// <summary>One set of names for the builds of one model.</summary>
    [Theory]
    [InlineData("llama-fp32")]
    [InlineData("llama-int4")]
    [InlineData("qwen2-fp32")]
    [InlineData("qwen2-int4")]
    public void LinearModules_OfTheGenAiBuilder_AreHfs(string build)
    {
        var model = OnnxFile.Load(Path.Combine(Fixtures.Folder, "genai", build, "model.onnx"));
        string[] layers =
        [
            "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
            "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj",
        ];
        CanonicalForm.Apply(model);

        var modules = ModuleCatalogue.LinearModules(model.Graph);

        Assert.Equal(
            Enumerable.Range(0, 2).SelectMany(i => layers.Select(l => $"model.layers.{i}.{l}")).Append("lm_head"),
            modules.Select(static m => m.Name));
        Assert.Equal([32L, 16, 16], modules.Take(3).Select(static m => m.OutFeatures));
        Assert.All(modules, static m => Assert.True(m.HasSourceName));
        Assert.All(modules, static m => Assert.False(m.IsConv1D));
    }

    /// <summary>The builder has Llama's names for all families; genai_config.json tells which it is.</summary>
    [Theory]
    [InlineData("llama", "model.layers.1.", "self_attn.q_proj self_attn.k_proj self_attn.v_proj self_attn.o_proj mlp.gate_proj mlp.up_proj mlp.down_proj", "lm_head", true)]
    [InlineData("phi3", "model.layers.1.", "self_attn.qkv_proj self_attn.o_proj mlp.gate_up_proj mlp.down_proj", "lm_head", true)]
    [InlineData("granitemoehybrid", "model.layers.1.", "self_attn.q_proj self_attn.k_proj self_attn.v_proj self_attn.o_proj shared_mlp.input_linear shared_mlp.output_linear", "lm_head", true)]
    [InlineData("chatglm", "transformer.encoder.layers.1.", "self_attention.query_key_value self_attention.dense mlp.dense_h_to_4h mlp.dense_4h_to_h", "transformer.output_layer", true)]
    [InlineData("internlm2", "model.layers.1.", "attention.q_proj attention.k_proj attention.v_proj attention.wo feed_forward.w1 feed_forward.w3 feed_forward.w2", "output", false)]
    [InlineData("phi3small", "model.layers.1.", "self_attn.q_proj self_attn.k_proj self_attn.v_proj self_attn.dense mlp.gate_proj mlp.up_proj mlp.down_proj", "lm_head", false)]
    public void LinearModules_OfTheGenAiBuilder_AreTheFamilys(
        string type, string layer, string modules, string head, bool areAllHfs)
    {
        foreach (var build in (string[])["llama-fp32", "llama-int4"])
        {
            var model = OnnxFile.Load(Path.Combine(Fixtures.Folder, "genai", build, "model.onnx"));
            model.Metadata["ortpeft.builder_type"] = type;
            CanonicalForm.Apply(model);

            var found = ModuleCatalogue.LinearModules(model.Graph);

            Assert.Equal(
                modules.Split(' ').Select(m => layer + m),
                found.Select(static m => m.Name).Where(n => n.StartsWith(layer, StringComparison.Ordinal)));
            Assert.Equal(head, found[^1].Name);
            Assert.True(found[^1].IsOutputLayer);
            Assert.Equal(areAllHfs, found.All(static m => m.HasSourceName));
        }
    }

    /// <summary>A graph of GenAI's builder does not say whether HF's model packs its layers; its files do.</summary>
    [Theory]
    [InlineData("llama-fp32", "", 6)]
    [InlineData("llama-int4", "", 6)]
    [InlineData("llama-int4", "llama", 0)]
    [InlineData("llama-int4", "phi3", 0)]
    [InlineData("qwen2-int4", "", 0)] // its queries have biases, Phi-3's have none
    public void ModulesPerhapsPacked_AreThoseOfABuildWithoutItsFamily(string build, string type, int expected)
    {
        var model = OnnxFile.Load(Path.Combine(Fixtures.Folder, "genai", build, "model.onnx"));
        if (type.Length > 0)
            model.Metadata["ortpeft.builder_type"] = type;

        var peft = PeftModel.Create(
            model, new LoraConfig { R = 1, TargetModules = type == "phi3" ? "all-linear" : ModuleTargets.Parse("q_proj,gate_proj,v_proj,o_proj") });

        Assert.Equal(expected, peft.ModulesPerhapsPacked.Count);
    }
}
