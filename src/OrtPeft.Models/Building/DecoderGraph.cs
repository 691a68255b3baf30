using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Models.Building;

/// <summary>
/// The beginning and the end of every decoder's graph: Optimum's inputs and outputs, the key-value cache, the
/// language-model head, and weights under HF's names. A family adds what is between.
/// </summary>
internal sealed class DecoderGraph
{
    private const int Opset = 21;

    private readonly DecoderSizes _sizes;
    private readonly IReadOnlyDictionary<string, Tensor> _weights;
    private readonly Model _model;
    private readonly (Value Key, Value Value)[] _past;
    private readonly List<Value> _present = [];

    public DecoderGraph(string name, DecoderSizes sizes, IReadOnlyDictionary<string, Tensor> weights)
    {
        _sizes = sizes;
        _weights = weights;
        _model = new Model(Opset, graphName: name);
        Builder = new GraphBuilder(_model.Graph, new ShapeInference(Opset));
        Tokens = Graph.AddInput(DecoderNames.Ids, ElementType.Int64, [Batch, Sequence]);
        Attention = Graph.AddInput(DecoderNames.Mask, ElementType.Int64, [Batch, Total]);
        Positions = Graph.AddInput(DecoderNames.Positions, ElementType.Int64, [Batch, Sequence]);
        _past = new (Value Key, Value Value)[sizes.Layers];
        for (var layer = 0; layer < _past.Length; layer++)
            _past[layer] = (AddPast(layer, "key"), AddPast(layer, "value"));
    }

    public GraphBuilder Builder { get; }

    /// <summary><c>[batch, sequence] int64</c>.</summary>
    public Value Tokens { get; }

    /// <summary>1 for keys to see, <c>[batch, past + sequence] int64</c>.</summary>
    public Value Attention { get; }

    /// <summary><c>[batch, sequence] int64</c>.</summary>
    public Value Positions { get; }

    private Graph Graph => _model.Graph;

    private static Dim Batch => Dim.Named("batch_size");

    private static Dim Sequence => Dim.Named("sequence_length");

    private static Dim Total => Dim.Named("total_sequence_length");

    /// <summary>
    /// Whether a key is not later than a query, <c>[sequence, past + sequence] bool</c>: queries follow the past.
    /// </summary>
    /// <param name="window">How many keys a query sees at most, the last of them its own; null for all.</param>
    public Value IsNotLater(int? window = null)
    {
        var past = Length(_past[0].Key, axis: 2);
        var total = Builder.Add(past, Length(Tokens, axis: 1));
        var step = Builder.Int64Scalar(1);
        var queries = Builder.Unsqueeze(Builder.Op("Range", past, total, step), 1);
        var keys = Builder.Unsqueeze(Builder.Op("Range", Builder.Int64Scalar(0), total, step), 0);
        var isNotLater = Builder.Op("LessOrEqual", keys, queries);
        if (window is not { } size)
            return isNotLater;
        var isNear = Builder.Op("Greater", keys, Builder.Sub(queries, Builder.Int64Scalar(size)));
        return Builder.Op("And", isNotLater, isNear);
    }

    /// <summary>
    /// Puts the past before a layer's keys and values, <c>[batch, heads, sequence, head_dim]</c>; the results become
    /// outputs. Call it layer by layer.
    /// </summary>
    public (Value Key, Value Value) Cached(int layer, Value key, Value value)
    {
        var keys = Builder.Concat(2, _past[layer].Key, key);
        var values = Builder.Concat(2, _past[layer].Value, value);
        _present.AddRange([keys, values]);
        return (keys, values);
    }

    /// <summary>
    /// logits = H·Wᵀ with W stored once as <c>[vocabulary, hidden]</c>: a Gemm reads it transposed as it is, where a
    /// Transpose node would be folded into a second copy when the session is made.
    /// </summary>
    /// <param name="rows">The last hidden states, <c>[batch · sequence, hidden]</c>.</param>
    /// <param name="head">The head's path.</param>
    /// <param name="weight">The name of W.</param>
    /// <param name="bias">The name of a bias; null where the head has none.</param>
    /// <param name="finish">What becomes of the products; null where they are the logits.</param>
    public Model WithHead(
        Value rows, string head, string weight, string? bias = null, Func<Value, Value>? finish = null)
    {
        Enter(head);
        var scores = Builder.Gemm(rows, Weight(weight), bias is null ? null : Weight(bias), transB: true);
        if (finish is not null)
        {
            Builder.Scope = "";
            scores = finish(scores);
        }

        var logits = Builder.Op("Reshape", scores, ByToken(_sizes.Vocabulary));
        AddOutput(logits, DecoderNames.Logits, [Batch, Sequence, _sizes.Vocabulary]);
        for (var i = 0; i < _present.Count; i++)
        {
            var name = CacheName(DecoderNames.Present, i / 2, i % 2 == 0 ? "key" : "value");
            AddOutput(_present[i], name, CacheShape(Total));
        }

        return _model;
    }

    /// <summary>The shape <c>[batch, sequence, …]</c> as a value, for a Reshape of <c>[batch · sequence,
    /// …]</c>.</summary>
    public Value ByToken(params ReadOnlySpan<long> others) =>
        Builder.Concat(0, Builder.Shape(Tokens), Builder.Int64(others));

    /// <summary>
    /// Names what follows after a module: <c>model.layers.0.mlp</c> gives the scope <c>/model/layers.0/mlp</c>.
    /// </summary>
    public void Enter(string module) => Builder.Scope = "/" + string.Concat(
        module.Select((c, i) => c == '.' && !char.IsAsciiDigit(module[i + 1]) ? '/' : c));

    /// <summary>A weight of the module that a scope such as <c>/transformer/h.0/ln_1</c> stands for.</summary>
    public Value ModuleWeight(string scope, string part) => Weight($"{scope[1..].Replace('/', '.')}.{part}");

    public Value Weight(string name) => Graph.Find(name) ?? Graph.AddInitializer(name, _weights[name]);

    private Value Length(Value value, long axis)
    {
        NodeAttribute[] range = [NodeAttribute.Of("start", axis), NodeAttribute.Of("end", axis + 1)];
        return Builder.Squeeze(Builder.Op("Shape", [value], range), 0);
    }

    private Value AddPast(int layer, string part) => Graph.AddInput(
        CacheName(DecoderNames.Past, layer, part),
        ElementType.Float,
        CacheShape(Dim.Named("past_sequence_length")));

    private Shape CacheShape(Dim length) => [Batch, _sizes.CacheHeads, length, _sizes.HeadSize];

    private static string CacheName(string prefix, int layer, string part) => $"{prefix}.{layer}.{part}";

    private void AddOutput(Value value, string name, Shape shape)
    {
        Graph.Rename(value, name);
        value.Type = ElementType.Float;
        value.Shape = shape;
        Graph.AddOutput(value);
    }
}
