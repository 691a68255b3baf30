using OrtPeft.Adapters.Full;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Tests.Proof;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Modules;

/// <summary>Vectors that were merged because their values are equal belong to one layer each again.</summary>
public sealed class SharedVectorsTests
{
    private const string Fused = "genai_tiny_random_gpt2_fused/past.onnx";

    private static readonly string[] Vectors =
    [
        "ln_1.weight", "ln_1.bias", "attn.c_attn.bias", "attn.c_proj.bias",
        "ln_2.weight", "ln_2.bias", "mlp.c_fc.bias", "mlp.c_proj.bias",
    ];

    [Fact]
    public void Create_WhenAnOptimiserMergedVectors_NamesEachAfterItsLayer()
    {
        var expected = Enumerable.Range(0, 5).SelectMany(static h => Vectors.Select(v => $"transformer.h.{h}.{v}"))
            .Concat(["transformer.ln_f.weight", "transformer.ln_f.bias"]);

        var peft = PeftModel.Create(OnnxFile.Load(Fixtures.Graph(Fused)), new FullConfig());

        var vectors = peft.Parameters.Where(static p => p.Value.Initializer!.Dims.Length == 1);
        Assert.Equal(expected.Order(), vectors.Select(static p => p.Name).Order());
    }

    [Fact]
    public void Create_WhenAnOptimiserMergedVectors_KeepsTheLogits()
    {
        var original = OnnxFile.Load(Fixtures.Graph(Fused));
        var peft = PeftModel.Create(original, new FullConfig());
        var batch = new Dictionary<string, Tensor> { ["input_ids"] = Tensor.Of<long>([1, 20, 300, 999, 5, 6], [2, 3]) };

        var expected = OnnxRun.Of(original, Feeds.Of(original.Graph, batch));
        var actual = OnnxRun.Of(peft.Model, Feeds.Of(peft.Model.Graph, batch));

        foreach (var (output, values) in expected)
            Near.Absolute(values, actual[output], 1e-5, output);
    }

    /// <summary>The gradient of the vector in its one piece is the sum over all layers; no two layers have the
    /// same.</summary>
    [Fact]
    public void ForTraining_WhenAnOptimiserMergedVectors_SplitsTheGradientOverTheLayers()
    {
        var tied = OnnxFile.Load(Fixtures.Graph(Fused));
        var peft = PeftModel.Create(tied, new FullConfig());
        string[] merged = ["transformer.h.0.ln_1.weight", "transformer.h.0.ln_1.bias", "transformer.h.0.mlp.c_fc.bias"];
        var names = peft.Parameters.Select(static p => p.Name).ToArray();

        var whole = Gradients(tied, merged);
        var parts = Gradients(peft.Model, names);

        foreach (var vector in merged)
        {
            var content = peft.GetWeights()[vector].ToFloat32();
            var own = names.Where(n => peft.GetWeights()[n].ToFloat32().AsSpan().SequenceEqual(content)).ToArray();
            Assert.Equal(own.Length, own.DistinctBy(n => parts[n].ToFloat32()[0]).Count());
            Assert.InRange(own.Length, 5, 22);
            Near.Relative(whole[vector].ToFloat32(), Sum(own.Select(n => parts[n])), 1e-4, vector);
        }
    }

    [Fact]
    public void Create_WhenALayerIsAppliedTwice_LeavesItsBiasWhole()
    {
        var model = SmallGraphs.Of(static (g, x) =>
        {
            var (weight, bias) = (SmallGraphs.Weight(g, "a.weight", 2, 2), Bias(g, "a.bias"));
            var once = g.Op("Relu", g.Add(g.MatMul(x, weight), bias));
            return g.Add(g.MatMul(once, weight), bias);
        });

        var peft = PeftModel.Create(model, new FullConfig());

        Assert.Equal(["a.weight", "a.bias"], peft.Parameters.Select(static p => p.Name));
    }

    [Fact]
    public void Create_WhenNothingNamesANormalisation_TakesTheNodesName()
    {
        var model = SmallGraphs.Of(static (g, x) =>
        {
            var (scale, bias) = (g.Graph.AddInitializer("scale", Tensor.Vector(1f, 1f)), Bias(g, "zeros"));
            g.Scope = "/first/norm";
            var first = g.Op("LayerNormalization", x, scale, bias);
            g.Scope = "last";
            var last = g.Op("LayerNormalization", g.Op("Relu", first), scale, bias);
            g.Scope = "";
            return g.MatMul(last, SmallGraphs.Weight(g, "a.weight", 2, 2));
        });

        var peft = PeftModel.Create(model, new FullConfig());

        string[] expected =
        [
            "a.weight", "first.norm.bias", "first.norm.weight",
            "last/LayerNormalization.bias", "last/LayerNormalization.weight",
        ];
        Assert.Equal(expected, peft.Parameters.Select(static p => p.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Create_WhenAnOptimiserMergedRmsNorms_NamesEachAfterItsLayer()
    {
        string[] layers = ["model.layers.0", "model.layers.1"];
        string[] expected =
        [
            .. layers.SelectMany(static l => (string[])[$"{l}.input_layernorm", $"{l}.post_attention_layernorm"]),
            "model.norm",
        ];
        var merged = LlamaLike.Build();
        var kept = merged.Graph.Find("model.layers.0.input_layernorm.weight")!;
        foreach (var norm in expected.Skip(1))
            merged.Graph.ReplaceAllUsesWith(merged.Graph.Find($"{norm}.weight")!, kept);

        var peft = PeftModel.Create(merged, new FullConfig());

        var vectors = peft.Parameters.Where(static p => p.Value.Initializer!.Dims.Length == 1);
        Assert.Equal(expected.Select(static n => $"{n}.weight").Order(), vectors.Select(static p => p.Name).Order());
    }

    /// <summary>HF PEFT's <c>bias="all"</c> trains every layer's own.</summary>
    [Fact]
    public void Create_WhenAllBiasesTrain_TrainsEachLayersOwn()
    {
        var config = new LoraConfig { R = 2, TargetModules = ["c_attn"], Bias = "all" };

        var peft = PeftModel.Create(OnnxFile.Load(Fixtures.Graph(Fused)), config);

        var biases = peft.Parameters.Where(static p => p.Name.EndsWith(".bias", StringComparison.Ordinal));
        Assert.Equal((5 * 6) + 1, biases.Count());
    }

    private static Value Bias(GraphBuilder g, string name) => g.Graph.AddInitializer(name, Tensor.Vector(0f, 0f));

    private static Dictionary<string, Tensor> Gradients(Model model, IReadOnlyList<string> wanted)
    {
        var canonical = model.Clone();
        CanonicalForm.Apply(canonical);
        var weights = wanted.ToDictionary(static n => n, n => canonical.Graph.Find(n)!.Initializer!);
        var ids = Tensor.Of<long>([1, 20, 300, 999, 5, 6], [2, 3]);
        var batch = new Dictionary<string, Tensor>
        {
            ["input_ids"] = ids,
            ["labels"] = ids,
            [TrainingGraph.Scale] = Tensor.Scalar(1f),
        };
        var graph = GradientsAt.Build(model, wanted);
        var outputs = OnnxRun.Of(graph, Feeds.Of(graph.Graph, batch, weights));
        return wanted.ToDictionary(static n => n, n => outputs[TrainingGraph.GradientOf(n)]);
    }

    private static float[] Sum(IEnumerable<Tensor> parts) =>
        parts.Select(static p => p.ToFloat32()).Aggregate(static (a, b) => [.. a.Zip(b, static (x, y) => x + y)]);
}
