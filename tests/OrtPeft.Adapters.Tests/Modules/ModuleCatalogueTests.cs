using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Tests.Modules;

public sealed class ModuleCatalogueTests
{
    private static readonly (string Name, long In, long Out)[] Layers =
    [
        ("attn.c_attn", 32, 96), ("attn.c_proj", 32, 32), ("mlp.c_fc", 32, 128), ("mlp.c_proj", 128, 32),
    ];

    [Theory]
    [MemberData(nameof(Gpt2.Models), MemberType = typeof(Gpt2))]
    public void LinearModules_WhenGpt2_ListsItsLayersInOrder(string model)
    {
        var expected = Enumerable.Range(0, 2)
            .SelectMany(static h => Layers.Select(l => ($"transformer.h.{h}.{l.Name}", l.In, l.Out)))
            .Append(("lm_head", 32, 101));

        var modules = ModuleCatalogue.LinearModules(Gpt2.Canonical(model).Graph);

        Assert.Equal(expected, modules.Select(static m => (m.Name, m.InFeatures, m.OutFeatures)));
    }

    [Theory]
    [MemberData(nameof(Gpt2.Models), MemberType = typeof(Gpt2))]
    public void LinearModules_WhenGpt2_KnowsLayoutsBiasesAndHead(string model)
    {
        var modules = ModuleCatalogue.LinearModules(Gpt2.Canonical(model).Graph);

        var head = Assert.Single(modules, static m => m.IsOutputLayer);
        Assert.Equal(("transformer.wte.weight", true), (head.Weight.Name, head.IsOutByIn));
        Assert.Null(head.Bias);
        Assert.All(modules.Where(static m => !m.IsOutputLayer), static m =>
        {
            Assert.False(m.IsOutByIn);
            Assert.Equal(($"{m.Name}.weight", $"{m.Name}.bias"), (m.Weight.Name, m.Bias!.Name));
        });
    }

    /// <summary>
    /// Exporters store the one matrix of a tied head under either name, and the head's own once more without one.
    /// </summary>
    [Theory]
    [InlineData("lm_head.weight", "val_7", "transformer.wte", "lm_head")]
    [InlineData("transformer.wte.weight", "val_7", "transformer.wte", "lm_head")]
    [InlineData("lm_head.weight", null, "transformer.wte", "lm_head")]
    [InlineData("transformer.wte.weight", null, "transformer.wte", "lm_head")]
    [InlineData("transformer.wte.weight", "lm_head.weight", "transformer.wte", "lm_head")]
    [InlineData("lm_head.weight", "transformer.wte.weight", "transformer.wte", "lm_head")]
    [InlineData("gpt_neox.embed_in.weight", "embed_out.weight", "gpt_neox.embed_in", "embed_out")]
    public void Catalogues_NameHeadAndEmbeddingByTheirRoles(string stored, string? copy, string embedding, string head)
    {
        var model = new Model(opset: 21);
        var g = new GraphBuilder(model.Graph, new ShapeInference(21));
        var ids = model.Graph.AddInput("input_ids", ElementType.Int64, [Dim.Named("batch"), 3]);
        var matrix = SmallGraphs.Weight(g, stored, 5, 4);
        var hidden = g.Gather(matrix, ids);
        hidden = g.MatMul(hidden, SmallGraphs.Weight(g, "transformer.h.0.mlp.c_fc.weight", 4, 4));
        var weight = copy is null ? g.Transpose(matrix, 1, 0) : SmallGraphs.Weight(g, copy, 4, 5);
        var logits = g.MatMul(hidden, weight);
        logits.Producer!.Name = "node_linear";
        model.Graph.AddOutput(logits);

        Assert.Equal(embedding, Assert.Single(EmbeddingCatalogue.Embeddings(model.Graph)).Name);
        Assert.Equal(head, Assert.Single(ModuleCatalogue.LinearModules(model.Graph), static m => m.IsOutputLayer).Name);
    }

    [Fact]
    public void LinearModules_WhenGemmIsTransposed_TakesPyTorchsLayout()
    {
        var module = Assert.Single(ModuleCatalogue.LinearModules(SmallGraphs.Linear().Graph));

        Assert.Equal(("linear", 2L, 4L, true), (module.Name, module.InFeatures, module.OutFeatures, module.IsOutByIn));
        Assert.Equal("linear.bias", module.Bias!.Name);
        Assert.True(module.IsOutputLayer);
    }

    [Fact]
    public void LinearModules_WhenMatMulAndAdd_FindsTheBiasOnEitherSide()
    {
        var model = SmallGraphs.Of(static (g, x) =>
        {
            var first = g.Add(SmallGraphs.Bias(g, "a.bias"), g.MatMul(x, SmallGraphs.Weight(g, "a.weight", 2, 4)));
            return g.Add(g.MatMul(g.Op("Relu", first), SmallGraphs.Weight(g, "b.weight", 4, 4)), SmallGraphs.Bias(g, "b.bias"));
        });

        var modules = ModuleCatalogue.LinearModules(model.Graph);

        Assert.Equal([("a", "a.bias"), ("b", "b.bias")], modules.Select(static m => (m.Name, m.Bias!.Name)));
        Assert.Equal([false, true], modules.Select(static m => m.IsOutputLayer));
    }

    /// <summary>As Granite, Cohere and Gemma 2 have it; PEFT's all-linear leaves the head out of all of them.</summary>
    [Theory]
    [InlineData("scale")]
    [InlineData("divide")]
    [InlineData("softcap")]
    public void LinearModules_WhenLogitsAreScaledOrCapped_KnowsTheHead(string form)
    {
        var model = SmallGraphs.Of((g, x) =>
        {
            var hidden = g.Op("Relu", g.MatMul(x, SmallGraphs.Weight(g, "up.weight", 2, 4)));
            var y = g.MatMul(hidden, SmallGraphs.Weight(g, "lm_head.weight", 4, 8));
            return form switch
            {
                "scale" => g.Mul(y, 0.25),
                "divide" => g.Div(y, g.Scalar(ElementType.Float, 8)),
                _ => g.Mul(g.Op("Tanh", g.Div(y, g.Scalar(ElementType.Float, 30))), 30),
            };
        });

        var modules = ModuleCatalogue.LinearModules(model.Graph);

        Assert.Equal([("up", false), ("lm_head", true)], modules.Select(static m => (m.Name, m.IsOutputLayer)));
    }

    [Fact]
    public void LinearModules_WhenWeightIsTransposedInTheGraph_LooksThrough()
    {
        var model = SmallGraphs.Of(static (g, x) => g.MatMul(x, g.Transpose(SmallGraphs.Weight(g, "tied.weight", 4, 2), 1, 0)));

        var module = Assert.Single(ModuleCatalogue.LinearModules(model.Graph));

        Assert.Equal(("tied", 2L, 4L, true), (module.Name, module.InFeatures, module.OutFeatures, module.IsOutByIn));
    }

    [Fact]
    public void LinearModules_WhenWeightIsAnonymous_TakesTheNodesScope()
    {
        var model = SmallGraphs.Of(static (g, x) =>
        {
            g.Scope = "/model/layers.0/q_proj";
            return g.MatMul(x, SmallGraphs.Weight(g, "onnx::MatMul_7", 2, 4));
        });

        var module = Assert.Single(ModuleCatalogue.LinearModules(model.Graph));

        Assert.Equal("model.layers.0.q_proj", module.Name);
    }

    [Fact]
    public void LinearModules_WhenOnlyTheBiasHasAName_TakesItsStem()
    {
        var model = SmallGraphs.Of(static (g, x) =>
        {
            g.Scope = "";
            return g.Add(g.MatMul(x, SmallGraphs.Weight(g, "onnx::MatMul_7", 2, 4)), SmallGraphs.Bias(g, "fc.bias"));
        });

        var module = Assert.Single(ModuleCatalogue.LinearModules(model.Graph));

        Assert.Equal("fc", module.Name);
    }

    [Fact]
    public void LinearModules_WhenTwoLayersShareAWeight_ListsBothByScope()
    {
        var model = SmallGraphs.Of(static (g, x) =>
        {
            var weight = SmallGraphs.Weight(g, "a.weight", 2, 2);
            g.Scope = "/a";
            var first = g.MatMul(x, weight);
            g.Scope = "/b";
            return g.MatMul(first, weight);
        });

        var modules = ModuleCatalogue.LinearModules(model.Graph);

        Assert.Equal(["a", "b"], modules.Select(static m => m.Name));
        Assert.Same(modules[0].Weight, modules[1].Weight);
    }

    [Fact]
    public void LinearModules_WhenOperandsAreComputed_ListsNone()
    {
        var model = SmallGraphs.Of(static (g, x) => g.MatMul(x, g.Transpose(x, 1, 0)));

        Assert.Empty(ModuleCatalogue.LinearModules(model.Graph));
    }

    [Fact]
    public void LinearModules_WhenWeightIsAnInput_ListsNone()
    {
        var model = SmallGraphs.Linear();
        CanonicalForm.Apply(model);
        model.Graph.TurnIntoInput(model.Graph.Find("linear.weight")!);

        Assert.Empty(ModuleCatalogue.LinearModules(model.Graph));
    }

    /// <summary>A layer that is applied again would be adapted once, and its adapter be none of the source model.</summary>
    [Theory]
    [InlineData("lora")]
    [InlineData("modules_to_save")]
    public void Create_OfALayerThatIsAppliedTwice_NamesIt(string method)
    {
        var model = SmallGraphs.Of(static (g, x) =>
        {
            g.Scope = "/model/layers.0/fc";
            var weight = SmallGraphs.Weight(g, "model.layers.0.fc.weight", 2, 2);
            var y = g.Op("Tanh", g.MatMul(g.Op("Tanh", g.MatMul(x, weight)), weight));
            g.Scope = "/model/layers.0/other";
            return g.Op("Tanh", g.MatMul(y, SmallGraphs.Weight(g, "model.layers.0.other.weight", 2, 2)));
        });
        var lora = new LoraConfig { R = 1, TargetModules = [method == "lora" ? "fc" : "other"] };

        var error = Assert.Throws<ConfigException>(() => PeftModel.Create(
            model, method == "lora" ? lora : lora with { ModulesToSave = ["fc"] }));

        Assert.Contains("model.layers.0.fc is applied 2 times", error.Message, StringComparison.Ordinal);
        Assert.NotEmpty(PeftModel.Create(model, lora with { TargetModules = ["other"] }).Parameters);
    }
}
