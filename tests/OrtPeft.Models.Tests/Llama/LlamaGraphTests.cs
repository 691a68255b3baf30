using OrtPeft.Models.Llama;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Models.Tests.Llama;

public sealed class LlamaGraphTests
{
    /// <summary>
    /// Logits are sums of 32 products of float32 numbers around 1, behind some twenty such sums: rounding of
    /// 6e-8 · √32 · 20 is 7e-6, and logits of up to 10 scale it.
    /// </summary>
    private const double Tolerance = 1e-4;

    public static TheoryData<string, string> Cases
    {
        get
        {
            var cases = new TheoryData<string, string>();
            foreach (var config in SmallLlama.Configs.Keys)
                foreach (var batch in SmallLlama.Batches.Keys)
                    cases.Add(config, batch);
            return cases;
        }
    }

    public static TheoryData<string> Configs => [.. SmallLlama.Configs.Keys];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Build_AgreesWithTheReference(string name, string batch)
    {
        var config = SmallLlama.Configs[name];
        using var session = Open(config);

        var logits = session.Run(SmallLlama.Feeds(config, batch, ..), "logits")["logits"];

        Assert.Equal([2L, 7, 50], logits.Dims.AsEnumerable());
        var actual = logits.ToFloat32();
        var expected = Expected(config, batch);
        Assert.True(expected.Max(Math.Abs) > 0.5);
        Assert.InRange(expected.Zip(actual, static (e, a) => Math.Abs(e - a)).Max(), 0, Tolerance);
    }

    /// <summary>Padded rows see other keys then: places that the mask hides are not compared.</summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void Build_WithACache_GivesTheWholeRunsLogits(string name, string batch)
    {
        var config = SmallLlama.Configs[name];
        using var session = Open(config);
        string[] outputs = ["logits", .. SmallLlama.CacheNames(config).Select(static n => $"present.{n}")];
        var whole = session.Run(SmallLlama.Feeds(config, batch, ..), outputs);

        var prefill = session.Run(SmallLlama.Feeds(config, batch, ..4), outputs);
        var steps = new List<Dictionary<string, Tensor>> { prefill };
        for (var at = 4; at < 7; at++)
            steps.Add(session.Run(SmallLlama.Feeds(config, batch, at..(at + 1), steps[^1]), outputs));

        var mask = SmallLlama.Batches[batch].Mask;
        for (var place = 0; place < 14; place++)
        {
            var (row, token) = (place / 7, place % 7);
            var step = steps[Math.Max(0, token - 3)]["logits"];
            var rows = step.Dims[1];
            var within = token < 4 ? token : 0;
            if (mask[place] == 1)
                AssertNear(Vector(whole["logits"], place), Vector(step, (int)(row * rows) + within));
        }

        Assert.Equal([2L, config.CacheHeads, 7, config.HeadSize], steps[^1]["present.1.key"].Dims.AsEnumerable());
        Assert.Equal(14, mask.Length);
    }

    /// <summary>So gradients need no lengths computed at run time.</summary>
    [Theory]
    [MemberData(nameof(Configs))]
    public void Build_WithoutAPast_KnowsEveryShape(string name)
    {
        var model = Model(SmallLlama.Configs[name]);
        foreach (var output in model.Graph.Outputs.Skip(1).ToArray())
            model.Graph.RemoveOutput(output);
        model.Graph.RemoveDeadCode();

        PastRemoval.Run(model);

        new ShapeInference(model.Opset).Infer(model.Graph);
        Assert.All(model.Graph.Values, static v => Assert.All(v.Shape!, d => Assert.True(d.IsKnown, v.ToString())));
    }

    [Fact]
    public void Build_HasOptimumsInputsAndOutputs()
    {
        var graph = Model(SmallLlama.Configs["grouped"]).Graph;

        Assert.Equal(
            [
                "input_ids: Int64[batch_size, sequence_length]",
                "attention_mask: Int64[batch_size, total_sequence_length]",
                "position_ids: Int64[batch_size, sequence_length]",
                "past_key_values.0.key: Float[batch_size, 2, past_sequence_length, 8]",
                "past_key_values.0.value: Float[batch_size, 2, past_sequence_length, 8]",
                "past_key_values.1.key: Float[batch_size, 2, past_sequence_length, 8]",
                "past_key_values.1.value: Float[batch_size, 2, past_sequence_length, 8]",
            ],
            graph.Inputs.Select(static v => v.ToString()));
        Assert.Equal(
            ["logits", "present.0.key", "present.0.value", "present.1.key", "present.1.value"],
            graph.Outputs.Select(static v => v.Name));
    }

    [Fact]
    public void Build_NamesNodesAndWeightsAfterModules()
    {
        var model = Model(SmallLlama.Configs["grouped, tied"]);

        var node = Assert.Single(model.Graph.Nodes, static n => n.Name == "/model/layers.1/self_attn/k_proj/Gemm");
        Assert.Equal("model.layers.1.self_attn.k_proj.weight", node.Inputs[1]!.Name);
        Assert.Equal([16L, 32L], node.Inputs[1]!.Initializer!.Dims.AsEnumerable());
        Assert.Equal(2, model.Graph.Find("model.embed_tokens.weight")!.Uses.Count);
        Assert.Equal("/lm_head/Gemm", model.Graph.Outputs[0].Producer!.Inputs[0]!.Producer!.Name);
        Assert.Equal(("OrtPeft", "llama", 21), (model.ProducerName, model.Metadata["hf_model_type"], model.Opset));
        Assert.Equal("qwen2", Model(SmallLlama.Configs["qwen2"]).Metadata["hf_model_type"]);
    }

    /// <summary>Only what HF trains is a vector or a matrix: full fine-tuning takes those.</summary>
    [Theory]
    [MemberData(nameof(Configs))]
    public void Build_HasNoVectorsOrMatricesButTheWeights(string name)
    {
        var config = SmallLlama.Configs[name];

        var parameters = Model(config).Graph.Initializers
            .Where(static v => v.Type == ElementType.Float && v.Initializer!.Dims.Length is 1 or 2);

        var weights = config.ToArchitecture().Weights.Select(static w => w.Name);
        Assert.Equal(weights.Order(), parameters.Select(static v => v.Name).Order());
    }

    /// <summary>Places up to 56 are behind an original length of 48, those up to 6 within it.</summary>
    [Theory]
    [InlineData("plain", false)]
    [InlineData("far places", true)]
    public void Build_OfLongRope_TakesTheLongFactorsBehindTheOriginalLength(string batch, bool isLong)
    {
        var (shorts, longs) = (new RopeFactors(1, 1.2, 1.4, 1.6), new RopeFactors(2, 2.5, 3, 3.5));
        var scaling = new RopeScaling
        {
            Type = "longrope",
            Factor = 4,
            OriginalPositions = 48,
            ShortFactors = shorts,
            LongFactors = longs,
        };
        var one = isLong ? longs : shorts;

        var logits = Logits(SmallLlama.Configs["grouped"] with { RopeScaling = scaling }, batch);

        var expected = Logits(SmallLlama.Configs["grouped"] with
        {
            RopeScaling = scaling with { ShortFactors = one, LongFactors = one },
        }, batch);
        Assert.Equal(expected, logits);
    }

    /// <summary>HF's base is θ·(g·n/m − (g − 1))^(d/(d−2)) where n tokens are more than m.</summary>
    [Theory]
    [InlineData("plain", 500)]
    [InlineData("far places", 2500.048325)]
    public void Build_OfDynamicScaling_SlowsDownBehindTheLongestSequence(string batch, float theta)
    {
        var config = SmallLlama.Configs["grouped"] with { Positions = 32, RopeTheta = 500 };

        var logits = Logits(
            config with { RopeScaling = new RopeScaling { Type = "dynamic", Factor = 3 } }, batch);

        AssertNear(Logits(config with { RopeTheta = theta }, batch), logits);
    }

    private static float[] Logits(LlamaConfig config, string batch)
    {
        using var session = Open(config);
        return session.Run(SmallLlama.Feeds(config, batch, ..), "logits")["logits"].ToFloat32();
    }

    private static Model Model(LlamaConfig config) => config.ToArchitecture().Build(SmallLlama.Weights(config));

    private static OnnxSession Open(LlamaConfig config) => new(Model(config));

    private static double[] Expected(LlamaConfig config, string batch)
    {
        var (mask, positions) = SmallLlama.Batches[batch];
        var reference = SmallLlama.Reference(config);
        return [.. new[] { ..7, 7.. }.SelectMany(row =>
            reference.Logits(SmallLlama.Tokens[row], mask[row], positions[row]).SelectMany(static v => v))];
    }

    private static float[] Vector(Tensor logits, int place) => logits.ToFloat32()[(50 * place)..(50 * (place + 1))];

    private static void AssertNear(float[] expected, float[] actual) =>
        Assert.InRange(expected.Zip(actual, static (e, a) => Math.Abs(e - a)).Max(), 0, Tolerance);
}
