using OrtPeft.Models.Checkpoints;
using OrtPeft.Models.Gpt2;
using OrtPeft.Models.Initialization;
using OrtPeft.Tensors;

namespace OrtPeft.Models.Tests.Gpt2;

public sealed class Gpt2GraphTests
{
    private const float Tolerance = 1e-5f;

    public static TheoryData<string, string> GoldenCases => Golden.Cases;

    [Theory]
    [MemberData(nameof(GoldenCases))]
    public void Import_AgreesWithPyTorch(string graph, string name)
    {
        using var folder = new TemporaryFolder();
        var path = HfCheckpoint.Import(Fixture.Path("base/g2l"), folder.Path);

        using var session = new OnnxSession(path);

        Assert.InRange(Golden.Open(graph, name).Deviation(session), 0, Tolerance);
    }

    [Theory]
    [MemberData(nameof(GoldenCases))]
    public void ToModel_OfTheHubsLayout_AgreesWithPyTorch(string graph, string name)
    {
        var checkpoint = HfCheckpoint.Open(Fixture.Path("base/g2l/hub_layout"), Assert.Fail);

        using var session = new OnnxSession(checkpoint.ToModel());

        Assert.InRange(Golden.Open(graph, name).Deviation(session), 0, Tolerance);
    }

    [Fact]
    public void Build_HasOptimumsInputsAndOutputs()
    {
        var graph = HfCheckpoint.Open(Fixture.Path("base/g2l")).ToModel().Graph;

        Assert.Equal(
            [
                "input_ids: Int64[batch_size, sequence_length]",
                "attention_mask: Int64[batch_size, total_sequence_length]",
                "position_ids: Int64[batch_size, sequence_length]",
                "past_key_values.0.key: Float[batch_size, 4, past_sequence_length, 8]",
                "past_key_values.0.value: Float[batch_size, 4, past_sequence_length, 8]",
                "past_key_values.1.key: Float[batch_size, 4, past_sequence_length, 8]",
                "past_key_values.1.value: Float[batch_size, 4, past_sequence_length, 8]",
            ],
            graph.Inputs.Select(static v => v.ToString()));
        Assert.Equal(
            [
                "logits: Float[batch_size, sequence_length, 101]",
                "present.0.key: Float[batch_size, 4, total_sequence_length, 8]",
                "present.0.value: Float[batch_size, 4, total_sequence_length, 8]",
                "present.1.key: Float[batch_size, 4, total_sequence_length, 8]",
                "present.1.value: Float[batch_size, 4, total_sequence_length, 8]",
            ],
            graph.Outputs.Select(static v => v.ToString()));
    }

    [Fact]
    public void Build_NamesNodesAndWeightsAfterModules()
    {
        var graph = HfCheckpoint.Open(Fixture.Path("base/g2l")).ToModel().Graph;

        var node = Assert.Single(graph.Nodes, static n => n.Name == "/transformer/h.1/mlp/c_fc/MatMul");
        Assert.Equal("transformer.h.1.mlp.c_fc.weight", node.Inputs[1]!.Name);
        Assert.Equal([32L, 128L], node.Inputs[1]!.Initializer!.Dims.AsEnumerable());
        Assert.Equal(2, graph.Find("transformer.wte.weight")!.Uses.Count);
    }

    [Fact]
    public void Build_StatesItsOrigin()
    {
        var model = HfCheckpoint.Open(Fixture.Path("base/g2l")).ToModel();

        Assert.Equal(("OrtPeft", "gpt2"), (model.ProducerName, model.Metadata["hf_model_type"]));
        Assert.Equal((21, 10), (model.Opset, model.IrVersion));
    }

    [Theory]
    [InlineData("gelu", "erf")]
    [InlineData("gelu_new", "tanh")]
    [InlineData("gelu_pytorch_tanh", "tanh")]
    [InlineData("relu", "relu")]
    [InlineData("silu", "silu")]
    [InlineData("swish", "silu")]
    public void Build_AppliesTheActivation(string name, string kind)
    {
        var logits = Logits(new Gpt2Config { ActivationFunction = name }, static _ => { });
        var expected = Logits(new Gpt2Config { ActivationFunction = Same(kind) }, static _ => { });
        var other = Logits(new Gpt2Config { ActivationFunction = "tanh" }, static _ => { });

        Assert.InRange(Golden.Deviation(expected, logits), 0, kind == "erf" ? 0.1f : 1e-6f);
        Assert.True(Golden.Deviation(other, logits) > 1e-4f);

        static string Same(string kind) =>
            kind switch { "erf" => "gelu_new", "tanh" => "gelu_fast", "silu" => "swish", _ => kind };
    }

    [Fact]
    public void Build_ScalesByTheInverseLayerIndex()
    {
        var scaled = Logits(new Gpt2Config { ScaleAttentionByInverseLayerIndex = true }, static _ => { });
        var same = Logits(new Gpt2Config(), static weights => ScaleQueries(weights, layer: 1, factor: 0.5f));
        var both = new Gpt2Config { ScaleAttentionByInverseLayerIndex = true, ReorderAndUpcastAttention = true };
        var upcast = Logits(both, static _ => { });

        Assert.InRange(Golden.Deviation(same, scaled), 0, 1e-5f);
        Assert.Equal(scaled.ToFloat32(), upcast.ToFloat32());
    }

    [Fact]
    public void Build_WhenScoresAreNotScaled_LeavesThem()
    {
        var unscaled = Logits(new Gpt2Config { ScaleAttentionWeights = false }, static _ => { });
        var same = Logits(new Gpt2Config(), static weights =>
        {
            ScaleQueries(weights, 0, MathF.Sqrt(8));
            ScaleQueries(weights, 1, MathF.Sqrt(8));
        });

        Assert.InRange(Golden.Deviation(same, unscaled), 0, 1e-5f);
    }

    [Fact]
    public void Build_WhenUntied_ReadsLmHead()
    {
        var doubled = Logits(new Gpt2Config { TieWordEmbeddings = false }, static weights =>
            weights["lm_head.weight"] = Scaled(weights["transformer.wte.weight"], static (_, v) => 2 * v));
        var tied = Logits(new Gpt2Config(), static _ => { });

        Assert.InRange(Golden.Deviation(Scaled(tied, static (_, v) => 2 * v), doubled), 0, 1e-5f);
    }

    [Fact]
    public void Build_WhenAWeightHasAnotherShape_Throws()
    {
        var architecture = Gpt2Presets.Find("tiny").ToArchitecture();
        var weights = ModelInitializer.CreateWeights(Gpt2Presets.Find("tiny"), 1).ToDictionary();
        weights["transformer.wpe.weight"] = Tensor.Of<float>(new float[64], [1, 64]);

        var error = Assert.ThrowsAny<ArgumentException>(() => architecture.Build(weights));

        Assert.Contains("transformer.wpe.weight", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Runs a small model of random weights on fixed tokens.</summary>
    private static Tensor Logits(Gpt2Config config, Action<Dictionary<string, Tensor>> change)
    {
        config = config with
        {
            Layers = 2,
            Heads = 4,
            EmbeddingSize = 32,
            VocabSize = 50,
            Positions = 16,
            InitializerRange = 0.3f,
        };
        var weights = ModelInitializer.CreateWeights(config, 7).ToDictionary();
        change(weights);
        using var session = new OnnxSession(config.ToArchitecture().Build(weights));
        var inputs = new Dictionary<string, Tensor>
        {
            ["input_ids"] = Tensor.Of<long>([1, 2, 3, 4, 49, 0], [1, 6]),
            ["attention_mask"] = Tensor.Of<long>([1, 1, 1, 1, 1, 1], [1, 6]),
            ["position_ids"] = Tensor.Of<long>([0, 1, 2, 3, 4, 5], [1, 6]),
        };
        foreach (var name in session.Inputs)
            inputs.TryAdd(name, Tensor.Of<float>([], [1, 4, 0, 8]));
        return session.Run(inputs, "logits")["logits"];
    }

    private static void ScaleQueries(Dictionary<string, Tensor> weights, int layer, float factor)
    {
        foreach (var part in new[] { "weight", "bias" })
        {
            var name = $"transformer.h.{layer}.attn.c_attn.{part}";
            weights[name] = Scaled(weights[name], (index, v) => index % 96 < 32 ? factor * v : v);
        }
    }

    private static Tensor Scaled(Tensor tensor, Func<int, float, float> change) =>
        Tensor.Of<float>([.. tensor.ToFloat32().Select((v, i) => change(i, v))], [.. tensor.Dims]);
}
