using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Modules;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Lora;

/// <summary>Embeddings as targets, on a table of 5 rows with 2 features and on GPT-2's tied one.</summary>
public sealed class EmbeddingTests
{
    private const string A = "base_model.model.transformer.wte.lora_embedding_A";
    private const string B = "base_model.model.transformer.wte.lora_embedding_B";

    private static readonly long[] Ids = [4, 0, 4, 2];

    private static readonly Dictionary<string, Tensor> Data = new()
    {
        ["ids"] = Tensor.Of<long>(Ids, [2, 2]),
        ["target"] = Tensor.Of([1f, 2, 3, 4, 5, 6, 7, 8], [2, 2, 2]),
        [TrainingGraph.Scale] = Tensor.Scalar(1f / 8),
    };

    private static readonly LoraConfig Config =
        new() { R = 3, LoraAlpha = 6, TargetModules = ["wte"], InitLoraWeights = false, LoraDropout = 0.5 };

    public static TheoryData<string, bool> ModelsAndDora
    {
        get
        {
            var data = new TheoryData<string, bool>();
            foreach (var model in Gpt2.Names)
            {
                data.Add(model, false);
                data.Add(model, true);
            }

            return data;
        }
    }

    [Fact]
    public void Create_AddsTheProductsRowToEachTokensRow()
    {
        var peft = PeftModel.Create(Table(), Config);

        var y = OnnxRun.Of(peft.Model, Data).Values.Single().ToFloat32();

        var (a, b) = (peft.GetWeights()[A].ToFloat32(), peft.GetWeights()[B].ToFloat32());
        for (var n = 0; n < Ids.Length; n++)
        {
            for (var e = 0; e < 2; e++)
            {
                var row = (2 * (int)Ids[n]) + e + 1.0;
                var sum = Enumerable.Range(0, 3).Sum(k => b[(e * 3) + k] * a[(k * 5) + (int)Ids[n]]);
                Assert.Equal(row + (2 * sum), y[(2 * n) + e], 1e-4);
            }
        }
    }

    /// <summary>The loss is quadratic in A and in B: rounding alone, 2⁻²⁴ · 32 of a loss of some hundreds.</summary>
    [Theory]
    [InlineData(A)]
    [InlineData(B)]
    public void Gradient_IsTheCentralDifference(string name)
    {
        const float H = 1 / 32f;
        var peft = PeftModel.Create(Table(), Config);
        var graph = TrainingGraph.Build(peft, new MeanSquaredError()).Model;

        var gradient = OnnxRun.Of(graph, Feeds(peft, name, 0, 0))[TrainingGraph.GradientOf(name)].ToFloat32();

        for (var i = 0; i < gradient.Length; i++)
        {
            var up = OnnxRun.Of(graph, Feeds(peft, name, i, H))[TrainingGraph.LossSum].ToFloat32()[0];
            var down = OnnxRun.Of(graph, Feeds(peft, name, i, -H))[TrainingGraph.LossSum].ToFloat32()[0];
            Assert.Equal((up - down) / (2 * H) / 8, gradient[i], 2e-3);
        }
    }

    [Fact]
    public void Create_WhenFresh_HasHfPeftsNamesAndShapesAndAZeroA()
    {
        var config = new LoraConfig { R = 4, TargetModules = ["wte", "c_attn"] };

        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), config);

        var (a, b) = (peft.Parameters[0], peft.Parameters[1]);
        Assert.Equal(
            ("base_model.model.transformer.wte.lora_embedding_A", "base_model.model.transformer.wte.lora_embedding_B"),
            (a.Name, b.Name));
        Assert.Equal([4L, 101], a.Value.Initializer!.Dims.AsEnumerable());
        Assert.Equal([32L, 4], b.Value.Initializer!.Dims.AsEnumerable());
        Assert.All(a.Value.Initializer!.ToFloat32(), static v => Assert.Equal(0, v));
        Assert.Equal(["wte", "c_attn"], ((LoraConfig)peft.Config).TargetModules!.Names);
    }

    [Theory]
    [MemberData(nameof(ModelsAndDora))]
    public void Merge_WhenTheHeadIsTied_ChangesTheEmbeddingAlone(string model, bool dora)
    {
        var config = new LoraConfig { R = 4, TargetModules = ["wte"], InitLoraWeights = false, UseDora = dora };
        var peft = PeftModel.Create(Gpt2.Open(model), config);
        var before = Gpt2.Canonical(model).Graph.Find("transformer.wte.weight")!.Initializer!.ToFloat32();

        var merged = peft.Merge();

        var batch = TrainRun.Batch(0);
        Near.Absolute(DecoderLogits.Of(peft.Model, batch), DecoderLogits.Of(merged, batch), 2e-5, "logits");
        var embedding = EmbeddingCatalogue.Embeddings(merged.Graph).Single(static m => m.Name == "transformer.wte");
        var head = ModuleCatalogue.LinearModules(merged.Graph).Single(static m => m.IsOutputLayer);
        Assert.Equal("lm_head", head.Name);
        Assert.Equal(before.Sum(), head.Weight.Initializer!.ToFloat32().Sum(), 1e-3);
        Assert.NotEqual(before, embedding.Weight.Initializer!.ToFloat32());
    }

    [Fact]
    public void Create_WhenAContainerOrAllLinearIsMeant_LeavesEmbeddingsOut()
    {
        foreach (var targets in new ModuleTargets[] { ["transformer"], ModuleTargets.AllLinear })
        {
            var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), new LoraConfig { R = 2, TargetModules = targets });

            Assert.DoesNotContain(peft.Parameters, static p => p.Name.Contains("embedding", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Create_WhenBGetsABias_RefusesEmbeddings()
    {
        var error = Assert.Throws<ConfigException>(
            () => PeftModel.Create(Table(), Config with { LoraBias = true, InitLoraWeights = true }));

        Assert.Contains("wte", error.Message, StringComparison.Ordinal);
    }

    private static Dictionary<string, Tensor> Feeds(PeftModel peft, string name, int index, float by)
    {
        var feeds = new Dictionary<string, Tensor>(Data);
        foreach (var (key, tensor) in peft.GetWeights())
        {
            var values = tensor.ToFloat32();
            if (key == name)
                values[index] += by;
            feeds[key] = Tensor.Of<float>(values, tensor.Dims.AsSpan());
        }

        return feeds;
    }

    private static Model Table()
    {
        var model = new Model(opset: 21);
        var g = new GraphBuilder(model.Graph, new ShapeInference(21));
        var ids = model.Graph.AddInput("ids", ElementType.Int64, [Dim.Named("batch"), Dim.Named("sequence")]);
        model.Graph.AddOutput(g.Gather(SmallGraphs.Weight(g, "wte.weight", 5, 2), ids));
        return model;
    }
}
