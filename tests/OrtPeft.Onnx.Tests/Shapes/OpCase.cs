using System.Collections.Immutable;
using System.Globalization;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Onnx.Tests.Shapes;

/// <summary>
/// One node as text: <c>Concat(float[B,2]; float[S,2]) axis=0</c>. Inputs are fed (<c>type[dims]</c>), int64 constants
/// (<c>=1,2</c>, scalar <c>=#1</c>), float constants (<c>f=1</c>, scalar <c>f=#1</c>), int32 ones (<c>i=1</c>), constants
/// of random numbers (<c>~type[dims]</c>) or left out (<c>-</c>).
/// Attributes are integers, lists in brackets, floats with an f, or text in quotes. <c>outputs=</c> and <c>opset=</c>
/// are not attributes. A question mark at the end: some lengths stay unknown.
/// </summary>
internal sealed class OpCase
{
    private readonly string _text;

    public OpCase(string text)
    {
        _text = text.TrimEnd('?', ' ');
        LeavesUnknown = text.EndsWith('?');
        var open = _text.IndexOf('(', StringComparison.Ordinal);
        var dot = _text.LastIndexOf('.', open);
        (Domain, Op) = (dot < 0 ? "" : _text[..dot], _text[(dot + 1)..open]);
    }

    public string Op { get; }

    public string Domain { get; }

    public bool LeavesUnknown { get; }

    public Model Build()
    {
        var close = _text.LastIndexOf(')');
        var words = _text[(close + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(static w => w.Split('=', 2)).ToDictionary(static w => w[0], static w => w[1]);
        var opset = words.Remove("opset", out var version) ? int.Parse(version, CultureInfo.InvariantCulture) : 18;
        var outputs = words.Remove("outputs", out var count) ? int.Parse(count, CultureInfo.InvariantCulture) : 1;
        var model = new Model(opset);
        if (Domain.Length > 0)
            model.Opsets[Domain] = 1;
        var builder = new GraphBuilder(model.Graph, new ShapeInference(opset));
        var open = _text.IndexOf('(', StringComparison.Ordinal);
        var texts = _text[(open + 1)..close].Split(';', StringSplitOptions.TrimEntries);
        var inputs = texts.Where(static t => t.Length > 0).Select(t => Input(builder, t)).ToArray();
        var attributes = words.Select(static w => Attribute(w.Key, w.Value)).ToArray();
        foreach (var output in builder.Ops(Op, outputs, inputs, attributes, Domain))
            model.Graph.AddOutput(output);
        return model;
    }

    private static Value? Input(GraphBuilder builder, string text)
    {
        if (text == "-")
            return null;
        if (text[0] == '~')
            return builder.Constant(Random(text[1..].Split('[', ']')));
        if (text.Contains('[', StringComparison.Ordinal))
            return Fed(builder.Graph, text.Split('[', ']'));
        var values = text[(text.IndexOf('=', StringComparison.Ordinal) + 1)..];
        var scalar = values.StartsWith('#');
        double[] numbers = [.. values.TrimStart('#').Split(',', StringSplitOptions.RemoveEmptyEntries).Select(Number)];
        ReadOnlySpan<long> dims = scalar ? [] : [numbers.Length];
        return builder.Constant(text[0] switch
        {
            'f' => Tensor.Of<float>([.. numbers.Select(static n => (float)n)], dims),
            'i' => Tensor.Of<int>([.. numbers.Select(static n => (int)n)], dims),
            _ => Tensor.Of<long>([.. numbers.Select(static n => (long)n)], dims),
        });
    }

    private static ElementType TypeOf(string name) => Enum.Parse<ElementType>(name, ignoreCase: true);

    /// <summary>Floats from −0.05 to 0.05, as scales are; any bits for integers.</summary>
    private static Tensor Random(string[] parts)
    {
        var type = TypeOf(parts[0]);
        long[] dims = [.. parts[1].Split(',').Select(static d => long.Parse(d, CultureInfo.InvariantCulture))];
        var (count, random) = (dims.Aggregate(1L, static (a, b) => a * b), new Random(7));
        if (type == ElementType.Float)
            return Tensor.Of<float>([.. Enumerable.Range(0, (int)count).Select(_ => (random.NextSingle() * 0.1f) - 0.05f)], dims);
        var bytes = new byte[type.ByteCount(count)];
        random.NextBytes(bytes);
        return new Tensor(type, [.. dims], new MemoryTensorData(bytes));
    }

    private static Value Fed(Graph graph, string[] parts)
    {
        var type = TypeOf(parts[0]);
        var dims = parts[1].Split(',', StringSplitOptions.RemoveEmptyEntries).Select(static d =>
            char.IsDigit(d[0]) ? (Dim)long.Parse(d, CultureInfo.InvariantCulture) : Dim.Named(d));
        return graph.AddInput(graph.FreshName("in"), type, Shape.Create([.. dims]));
    }

    private static NodeAttribute Attribute(string name, string text)
    {
        if (text[0] == '\'')
            return NodeAttribute.Of(name, text.Trim('\''));
        if (text[0] == '[')
        {
            var numbers = text.Trim('[', ']').Split(',');
            return NodeAttribute.Of(name, numbers.Select(static n => (long)Number(n)).ToImmutableArray());
        }

        return text.EndsWith('f')
            ? NodeAttribute.Of(name, (float)Number(text[..^1]))
            : NodeAttribute.Of(name, (long)Number(text));
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
