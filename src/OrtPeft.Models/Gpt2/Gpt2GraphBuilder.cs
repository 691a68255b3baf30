using OrtPeft.Models.Building;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;

namespace OrtPeft.Models.Gpt2;

/// <summary>
/// Builds GPT-2 with its language-model head and a key-value cache out of standard operators. Values that
/// belong to a module are named after it: <c>/transformer/h.0/attn/c_attn/MatMul</c>.
/// </summary>
internal sealed class Gpt2GraphBuilder
{
    private const int Opset = 21;
    private const string Root = "/transformer";

    private readonly Gpt2Config _config;
    private readonly IReadOnlyDictionary<string, Tensor> _weights;
    private readonly Model _model = new(Opset, graphName: "gpt2");
    private readonly GraphBuilder _g;

    public Gpt2GraphBuilder(Gpt2Config config, IReadOnlyDictionary<string, Tensor> weights)
    {
        _config = config;
        _weights = weights;
        _g = new GraphBuilder(_model.Graph, new ShapeInference(Opset));
    }

    private Graph Graph => _model.Graph;

    public Model Build()
    {
        var batch = Dim.Named("batch_size");
        var sequence = Dim.Named("sequence_length");
        var tokens = Graph.AddInput("input_ids", ElementType.Int64, [batch, sequence]);
        var attention = Graph.AddInput("attention_mask", ElementType.Int64, [batch, Total]);
        var positions = Graph.AddInput("position_ids", ElementType.Int64, [batch, sequence]);
        var past = new (Value Key, Value Value)[_config.Layers];
        for (var layer = 0; layer < past.Length; layer++)
            past[layer] = (AddPast(layer, "key", batch), AddPast(layer, "value", batch));

        var hidden = Embed(tokens, positions);
        var mask = CausalMask.Build(_g, hidden, past[0].Key, attention);
        var present = new List<Value>();
        for (var layer = 0; layer < past.Length; layer++)
            hidden = Block(layer, hidden, past[layer], mask, present);
        hidden = Norm($"{Root}/ln_f", hidden);

        AddOutput(Head(hidden), "logits", [batch, sequence, _config.VocabSize]);
        for (var i = 0; i < present.Count; i++)
            AddOutput(present[i], CacheName("present", i / 2, i % 2 == 0 ? "key" : "value"), CacheShape(batch, Total));
        return _model;
    }

    private static Dim Total => Dim.Named("total_sequence_length");

    private Value Embed(Value tokens, Value positions)
    {
        _g.Scope = $"{Root}/wte";
        var token = _g.Gather(Weight(Gpt2Architecture.TokenEmbedding), tokens);
        _g.Scope = $"{Root}/wpe";
        var position = _g.Gather(Weight(Gpt2Architecture.PositionEmbedding), positions);
        _g.Scope = Root;
        return _g.Add(token, position);
    }

    private Value Block(int layer, Value hidden, (Value Key, Value Value) past, CausalMask mask, List<Value> present)
    {
        var scope = $"{Root}/h.{layer}";
        var attended = Attention(layer, $"{scope}/attn", Norm($"{scope}/ln_1", hidden), past, mask, present);
        _g.Scope = scope;
        hidden = _g.Add(attended, hidden);
        var inner = Linear($"{scope}/mlp/c_fc", Norm($"{scope}/ln_2", hidden));
        _g.Scope = $"{scope}/mlp/act";
        inner = Activations.Apply(_g, _config.ActivationFunction, inner);
        inner = Linear($"{scope}/mlp/c_proj", inner);
        _g.Scope = scope;
        return _g.Add(hidden, inner);
    }

    private Value Attention(
        int layer, string scope, Value x, (Value Key, Value Value) past, CausalMask mask, List<Value> present)
    {
        var projected = Linear($"{scope}/c_attn", x);
        _g.Scope = scope;
        var parts = _g.Split(projected, -1, _config.EmbeddingSize, _config.EmbeddingSize, _config.EmbeddingSize);
        var key = _g.Concat(2, past.Key, SplitHeads(parts[1]));
        var value = _g.Concat(2, past.Value, SplitHeads(parts[2]));
        present.AddRange([key, value]);
        var scores = _g.MatMul(Scaled(layer, SplitHeads(parts[0])), _g.Transpose(key, 0, 1, 3, 2));
        var weights = _g.Softmax(mask.Apply(_g, scores));
        var mixed = _g.Transpose(_g.MatMul(weights, value), 0, 2, 1, 3);
        return Linear($"{scope}/c_proj", _g.Reshape(mixed, 0, 0, _config.EmbeddingSize));
    }

    /// <summary>Scales the queries, which are fewer numbers than the scores; HF's factors in one.</summary>
    private Value Scaled(int layer, Value query)
    {
        var divisor = _config.ScaleAttentionWeights ? Math.Sqrt(_config.HeadSize) : 1;
        if (_config.ScaleAttentionByInverseLayerIndex)
            divisor *= layer + 1;
        return divisor == 1 ? query : _g.Mul(query, _g.Scalar(ElementType.Float, 1 / divisor));
    }

    private Value SplitHeads(Value x) =>
        _g.Transpose(_g.Reshape(x, 0, 0, _config.Heads, _config.HeadSize), 0, 2, 1, 3);

    private Value Norm(string scope, Value x)
    {
        _g.Scope = scope;
        return _g.Op(
            "LayerNormalization",
            [x, ModuleWeight(scope, "weight"), ModuleWeight(scope, "bias")],
            NodeAttribute.Of("axis", -1),
            NodeAttribute.Of("epsilon", _config.LayerNormEpsilon));
    }

    private Value Linear(string scope, Value x)
    {
        _g.Scope = scope;
        return _g.Add(_g.MatMul(x, ModuleWeight(scope, "weight")), ModuleWeight(scope, "bias"));
    }

    /// <summary>
    /// logits = H·Wᵀ with W stored once as <c>[vocabulary, hidden]</c>: a Gemm reads it transposed as it is, where a
    /// Transpose node would be folded into a second copy when the session is made.
    /// </summary>
    private Value Head(Value hidden)
    {
        _g.Scope = "/lm_head";
        var name = _config.TieWordEmbeddings ? Gpt2Architecture.TokenEmbedding : Gpt2Architecture.OutputEmbedding;
        var rows = _g.Gemm(_g.Reshape(hidden, -1, _config.EmbeddingSize), Weight(name), transB: true);
        var axes = _g.Op("Shape", [hidden], NodeAttribute.Of("start", 0L), NodeAttribute.Of("end", 2L));
        return _g.Op("Reshape", rows, _g.Concat(0, axes, _g.Int64(_config.VocabSize)));
    }

    private Value AddPast(int layer, string part, Dim batch) => Graph.AddInput(
        CacheName("past_key_values", layer, part),
        ElementType.Float,
        CacheShape(batch, Dim.Named("past_sequence_length")));

    private Shape CacheShape(Dim batch, Dim length) => [batch, _config.Heads, length, _config.HeadSize];

    private static string CacheName(string prefix, int layer, string part) => $"{prefix}.{layer}.{part}";

    private void AddOutput(Value value, string name, Shape shape)
    {
        Graph.Rename(value, name);
        value.Type = ElementType.Float;
        value.Shape = shape;
        Graph.AddOutput(value);
    }

    private Value ModuleWeight(string scope, string part) => Weight($"{scope[1..].Replace('/', '.')}.{part}");

    private Value Weight(string name) => Graph.Find(name) ?? Graph.AddInitializer(name, _weights[name]);
}
