using OrtPeft.Adapters.PTuning;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.PTuning;

/// <summary>The LSTM written out against ONNX's operator, run by ONNX Runtime.</summary>
public sealed class BidirectionalLstmTests
{
    private const int Hidden = 5;
    private const int Tokens = 4;
    private const int Width = 32;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Save_OfAnLstmEncoder_WritesWhatOnnxsLstmMakes(int layers)
    {
        using var folder = new TemporaryFolder();
        var config = new PTuningConfig
        {
            NumVirtualTokens = Tokens,
            EncoderReparameterizationType = "LSTM",
            EncoderHiddenSize = Hidden,
            EncoderNumLayers = layers,
            EncoderDropout = 0.5,
        };
        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), config, seed: 8);

        peft.Save(folder.Path);

        var saved = Assert.Single(AdapterFolder.LoadWeights(folder.Path)).Value;
        Assert.Equal((layers * 8) + 5, peft.Parameters.Count);
        // Sums of at most 64 float32 terms of about 1.
        Near.Absolute(Expected(peft.GetWeights(), layers), saved, 1e-5, "prompt");
    }

    private static Tensor Expected(IReadOnlyDictionary<string, Tensor> weights, int layers)
    {
        var model = new Model(opset: 21);
        var g = new GraphBuilder(model.Graph, new ShapeInference(21));
        var x = g.Unsqueeze(Weight("embedding.weight"), 1);
        for (var layer = 0; layer < layers; layer++)
            x = g.Reshape(g.Transpose(Lstm(x, $"l{layer}"), 0, 2, 1, 3), Tokens, 1, 2 * Hidden);
        var rows = g.Reshape(x, Tokens, 2 * Hidden);
        var inner = g.Op("Relu", g.Gemm(rows, Weight("mlp_head.0.weight"), Weight("mlp_head.0.bias"), transB: true));
        var prompt = g.Gemm(inner, Weight("mlp_head.2.weight"), Weight("mlp_head.2.bias"), transB: true);
        model.Graph.Rename(prompt, "prompt");
        (prompt.Type, prompt.Shape) = (ElementType.Float, [Tokens, Width]);
        model.Graph.AddOutput(prompt);
        return OnnxRun.Of(model, new Dictionary<string, Tensor>())["prompt"];

        Value Weight(string name) => g.Constant(weights[$"prompt_encoder.{name}"], name);

        Value Lstm(Value input, string suffix) => g.Ops(
            "LSTM",
            1,
            [input, Both("weight_ih", suffix), Both("weight_hh", suffix), Biases(suffix)],
            [NodeAttribute.Of("hidden_size", (long)Hidden), NodeAttribute.Of("direction", "bidirectional")])[0];

        Value Both(string part, string suffix) => g.Concat(
            0, g.Unsqueeze(Gates($"{part}_{suffix}"), 0), g.Unsqueeze(Gates($"{part}_{suffix}_reverse"), 0));

        Value Biases(string suffix) => g.Concat(0, OfOne(suffix), OfOne($"{suffix}_reverse"));

        Value OfOne(string suffix) =>
            g.Unsqueeze(g.Concat(0, Gates($"bias_ih_{suffix}"), Gates($"bias_hh_{suffix}")), 0);

        // PyTorch's gates are i, f, g, o; ONNX's are i, o, f, g.
        Value Gates(string name)
        {
            var parts = g.Split(Weight($"lstm_head.{name}"), 0, Hidden, Hidden, Hidden, Hidden);
            return g.Concat(0, parts[0], parts[3], parts[1], parts[2]);
        }
    }
}
