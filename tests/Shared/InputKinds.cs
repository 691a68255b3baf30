using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Testing;

/// <summary>One GPT-2 behind inputs of each kind that exporters give a decoder; all compute the same.</summary>
internal static class InputKinds
{
    /// <summary>What a convolution keeps, beside keys and values.</summary>
    private const string State = "a state";

    /// <summary>How many tokens are cached.</summary>
    private const string PastLength = "a past length";

    private static readonly Shape Rows = [Dim.Named("batch"), Dim.Named("sequence")];

    private static readonly Shape Pairs = [Dim.Named("batch"), 1, Dim.Named("sequence"), Dim.Named("sequence")];

    private static readonly Dictionary<string, Action<GraphBuilder>> Edits = new()
    {
        ["int32 ids"] = static g => Behind(g, "input_ids", ElementType.Int32, Rows, static (g, x) => ToInt64(g, x)),
        ["int32"] = static g =>
        {
            foreach (var name in (string[])["input_ids", "attention_mask", "position_ids"])
                Behind(g, name, ElementType.Int32, Rows, static (g, x) => ToInt64(g, x));
        },
        ["bool mask"] = static g => Behind(g, "attention_mask", ElementType.Bool, Rows, static (g, x) => ToInt64(g, x)),
        ["float mask"] = static g => Behind(g, "attention_mask", ElementType.Float, Rows, static (g, x) => ToInt64(g, x)),
        ["bool mask of 4 axes"] = static g => Behind(
            g, "attention_mask", ElementType.Bool, Pairs, static (g, x) => OfLastQuery(g, ToInt64(g, x))),
        ["added mask of 4 axes"] = static g => Behind(
            g, "attention_mask", ElementType.Float, Pairs, static (g, x) => OfLastQuery(g, ToInt64(g, g.Op("Equal", x, g.Scalar(ElementType.Float, 0))))),
        ["ids of 3 axes"] = static g =>
        {
            Behind(
                g, "input_ids", ElementType.Int64, [Dim.Named("batch"), Dim.Named("choices"), Dim.Named("sequence")],
                static (g, x) => g.Op("Reshape", x, g.Concat(0, g.Int64(-1), g.Op("Slice", g.Shape(x), g.Int64(2), g.Int64(3)))));
            var given = g.Graph.Find("input_ids")!;
            Instead(g, logits => g.Op("Reshape", logits, g.Concat(0, g.Shape(given), g.Int64(-1))), rank: 4);
        },
        ["no axes"] = static g =>
        {
            foreach (var value in g.Graph.Inputs.Concat(g.Graph.Outputs))
                value.Shape = null;
        },
        ["axes without names"] = static g => Shaped(g, default, default),
        ["a batch of 1"] = static g => Shaped(g, 1, Dim.Named("sequence")),
        ["a length of 16"] = static g => Shaped(g, Dim.Named("batch"), 16),
        ["1 × 16"] = static g => Shaped(g, 1, 16),
        [State] = static g =>
        {
            var state = g.Graph.AddInput("past.0.conv", ElementType.Float, [Dim.Named("batch"), 4, 3]);
            Instead(g, logits => g.Add(logits, g.Op("ReduceSum", [state, g.Int64(1, 2)], NodeAttribute.Of("keepdims", 1))));
            g.Graph.AddOutput(g.Op("Identity", state));
            g.Graph.Rename(g.Graph.Outputs[^1], "present.0.conv");
        },
        ["a state without a cache"] = static g =>
        {
            var state = g.Graph.AddInput("past.0.conv", ElementType.Float, [Dim.Named("batch"), 4, 3]);
            var one = g.Scalar(ElementType.Float, 1);
            Instead(g, logits => g.Mul(logits, g.Sub(one, g.Op("ReduceSum", [state, g.Int64(1, 2)], NodeAttribute.Of("keepdims", 1)))));
            g.Graph.AddOutput(g.Add(state, one));
            g.Graph.Rename(g.Graph.Outputs[^1], "present.0.conv");
        },
        ["a count of logits"] = static g =>
        {
            var count = g.Graph.AddInput("num_logits_to_keep", ElementType.Int64, []);
            Instead(g, logits => g.Add(logits, g.Cast(count, ElementType.Float)));
        },
        ["positions of 1 axis"] = static g => Behind(
            g, "position_ids", ElementType.Int64, [Dim.Named("sequence")], static (g, x) => g.Unsqueeze(x, 0)),
        [PastLength] = static g => Behind(g, "position_ids", ElementType.Int64, Shape.Scalar, "past_sequence_length", static (g, x) =>
            g.Unsqueeze(g.Op("Range", x, g.Add(x, Columns(g)), g.Int64Scalar(1)), 0)),
        ["a total length"] = static g => Behind(g, "position_ids", ElementType.Int32, [1], "total_sequence_length", static (g, x) =>
        {
            var total = g.Squeeze(ToInt64(g, x), 0);
            return g.Unsqueeze(g.Op("Range", g.Sub(total, Columns(g)), total, g.Int64Scalar(1)), 0);
        }),
        ["an input that nothing reads"] = static g =>
            g.Graph.AddInput("token_type_ids", ElementType.Float, [Dim.Named("batch"), 7]),
        ["logits on one axis"] = static g => Instead(g, logits => g.Reshape(logits, -1, 101), rank: 2),
        ["the vocabulary before the sequence"] = static g =>
        {
            Instead(g, logits => g.Transpose(logits, 0, 2, 1));
            g.Graph.Find("logits")!.Shape = [default, 101, default];
        },
        ["other names"] = static g =>
        {
            foreach (var (name, other) in (IEnumerable<(string, string)>)
                [("input_ids", "idx"), ("attention_mask", "mask"), ("position_ids", "pos"), ("logits", "linear_14")])
                g.Graph.Rename(g.Graph.Find(name)!, other);
        },
    };

    public static IEnumerable<string> All => Edits.Keys;

    /// <summary>The GPT-2 as it was exported.</summary>
    public static Model Usual => OnnxFile.Load(Fixtures.Graph("hf442_g2l_nopast_op13.onnx"));

    /// <summary>The same behind inputs of a kind.</summary>
    public static Model Of(string kind)
    {
        var model = kind is State or PastLength ? OnnxFile.Load(Fixtures.Graph("hf442_g2l_past_op14.onnx")) : Usual;
        Edits[kind](new GraphBuilder(model.Graph, new ShapeInference(model.Opset)) { Scope = "/kind" });
        return model;
    }

    private static Value ToInt64(GraphBuilder g, Value x) => g.Cast(x, ElementType.Int64);

    /// <summary>The length of the rows.</summary>
    private static Value Columns(GraphBuilder g) => g.Gather(g.Shape(g.Graph.Find("input_ids")!), g.Int64Scalar(1));

    private static Value OfLastQuery(GraphBuilder g, Value pairs) => g.Op(
        "Squeeze", g.Op("Slice", pairs, g.Int64(-1), g.Int64(long.MaxValue), g.Int64(2)), g.Int64(1, 2));

    /// <summary>Puts an input of another kind in one's place.</summary>
    private static void Behind(
        GraphBuilder g, string name, ElementType type, Shape shape, Func<GraphBuilder, Value, Value> usual) =>
        Behind(g, name, type, shape, name, usual);

    private static void Behind(
        GraphBuilder g, string name, ElementType type, Shape shape, string newName, Func<GraphBuilder, Value, Value> usual)
    {
        var old = g.Graph.Find(name)!;
        g.Graph.Rename(old, $"{name}_usual");
        var input = g.Graph.AddInput(newName, type, shape);
        g.Before = g.Graph.Nodes[0];
        g.Graph.ReplaceAllUsesWith(old, usual(g, input));
        g.Before = null;
        g.Graph.Remove(old);
    }

    /// <summary>Puts something computed of the logits in their place.</summary>
    private static void Instead(GraphBuilder g, Func<Value, Value> change, int rank = 3)
    {
        var old = g.Graph.Find("logits")!;
        g.Graph.Rename(old, "logits_usual");
        var changed = change(old);
        g.Graph.RemoveOutput(old);
        g.Graph.AddOutput(changed);
        g.Graph.Rename(changed, "logits");
        changed.Type = ElementType.Float;
        changed.Shape = Shape.Create([.. Enumerable.Repeat(default(Dim), rank - 1), 101]);
    }

    private static void Shaped(GraphBuilder g, Dim batch, Dim sequence)
    {
        foreach (var input in g.Graph.Inputs)
            input.Shape = [batch, sequence];
        g.Graph.Outputs[0].Shape = [batch, sequence, 101];
    }
}
