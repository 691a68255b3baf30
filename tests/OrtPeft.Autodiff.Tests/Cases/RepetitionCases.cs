using OrtPeft.Autodiff.Tests.Proof;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using static OrtPeft.Autodiff.Tests.Proof.TestInput;

namespace OrtPeft.Autodiff.Tests.Cases;

/// <summary>Scan: states, slices, stacked results, values of the graph around it, and every order of the steps.</summary>
internal static class RepetitionCases
{
    public static IEnumerable<GradientCase> Rows =>
    [
        new("Scan", "a recurrence", static (g, v) => Scan(g, 1, 1, v, static (b, s, x) =>
        {
            var next = b.Op("Tanh", b.Add(b.Mul(s[0], 0.7), x[0]));
            return [next, b.Mul(next, next)];
        }), Generic(2, 3), Generic(4, 2, 3)),
        new("Scan", "two states, one of which counts", static (g, v) => Scan(
            g, 2, 1, [v[0], g.Int64Scalar(0), v[1]], static (b, s, x) =>
            {
                var weighted = b.Mul(x[0], b.Cast(b.Add(s[1], b.Int64Scalar(1)), x[0].Type));
                return [b.Add(b.Mul(s[0], x[0]), weighted), b.Add(s[1], b.Int64Scalar(1))];
            }).Take(1).ToArray(), Generic(3), Generic(4, 3)),
        new("Scan", "weights of the graph around it", static (g, v) => Scan(g, 1, 1, [v[0], v[1]], (b, s, x) =>
        {
            var next = b.Op("Tanh", b.Add(b.MatMul(s[0], v[2]), b.Mul(x[0], v[3])));
            return [next, b.MatMul(next, v[2])];
        }), Generic(2, 3), Generic(3, 2, 3), Generic(3, 3), Generic(3)),
        new("Scan", "linear attention", static (g, v) => Scan(g, 1, 3, v, static (b, s, x) =>
        {
            var state = b.Add(b.Mul(s[0], 0.9), b.Mul(b.Unsqueeze(x[1], 2), b.Unsqueeze(x[2], 1)));
            return [state, b.Squeeze(b.MatMul(b.Unsqueeze(x[0], 1), state), 1)];
        }), Generic(2, 3, 2), Generic(4, 2, 3), Generic(4, 2, 3), Generic(4, 2, 2)),
        new("Scan", "no state", static (g, v) => Scan(g, 0, 2, v, static (b, _, x) => [b.Mul(x[0], b.Op("Sin", x[1]))]),
            Generic(3, 2), Generic(3, 2)),
        new("Scan", "backwards over another axis", static (g, v) => Scan(g, 1, 1, v, static (b, s, x) =>
        {
            var next = b.Mul(b.Add(s[0], x[0]), 0.5);
            return [next, b.Mul(next, x[0])];
        }, new() { InputAxis = 1, InputDirection = 1, OutputAxis = -1, OutputDirection = 1 }), Generic(2, 3), Generic(2, 4, 3)),
        new("Scan", "backwards, results in order", static (g, v) => Scan(g, 1, 1, v, static (b, s, x) =>
        {
            var next = b.Mul(b.Add(s[0], x[0]), 0.5);
            return [next, b.Mul(next, x[0])];
        }, new() { InputDirection = 1 }), Generic(2), Generic(4, 2)),
        new("Scan", "a state that is passed on", static (g, v) => Scan(
            g, 2, 1, v, static (b, s, x) => [b.Mul(s[0], s[1]), b.Op("Identity", s[1]), b.Add(s[1], x[0])]),
            Generic(2), Generic(2), Generic(3, 2)),
        new("Scan", "the last state alone", static (g, v) => Scan(
            g, 1, 1, v, static (b, s, x) => [b.Mul(b.Add(s[0], x[0]), x[0]), b.Op("Cos", s[0])]).Take(1).ToArray(),
            Generic(2), Generic(3, 2)),
        new("Scan", "the results alone", static (g, v) => Scan(
            g, 1, 1, v, static (b, s, x) => [b.Mul(b.Add(s[0], x[0]), x[0]), b.Op("Cos", s[0])]).Skip(1).ToArray(),
            Generic(2), Generic(3, 2)),
        new("Scan", "one within another", static (g, v) => Scan(g, 1, 1, v, static (b, s, x) =>
        {
            var inner = Scan(b, 1, 1, [s[0], x[0]], static (c, t, y) => [c.Op("Tanh", c.Add(t[0], y[0])), c.Mul(t[0], y[0])], name: "inner");
            return [inner[0], b.ReduceSum(inner[1], [0], keepDims: false)];
        }), Generic(2), Generic(3, 4, 2)),
    ];

    private sealed record Order
    {
        public long InputAxis { get; init; }

        public long InputDirection { get; init; }

        public long OutputAxis { get; init; }

        public long OutputDirection { get; init; }
    }

    private static IReadOnlyList<Value> Scan(
        GraphBuilder g,
        int states,
        int steps,
        IReadOnlyList<Value> inputs,
        Func<GraphBuilder, Value[], Value[], Value[]> step,
        Order? order = null,
        string name = "step")
    {
        order ??= new Order();
        var body = new Graph(name, g.Graph);
        Value[] inside = [.. inputs.Take(states + steps).Select((v, i) => body.AddInput($"{name}_{i}", v.Type, i < states
            ? v.Shape
            : v.Shape is null ? null : Shape.Create([.. v.Shape.Where((_, d) => d != order.InputAxis)])))];
        var b = new GraphBuilder(body, g.Shapes) { Scope = $"/{name}" };
        var results = step(b, inside[..states], inside[states..]);
        foreach (var result in results)
            body.AddOutput(result);
        var stacked = results.Length - states;
        return g.Ops("Scan", results.Length, [.. inputs.Take(states + steps)],
        [
            NodeAttribute.Of("body", body),
            NodeAttribute.Of("num_scan_inputs", (long)steps),
            NodeAttribute.Of("scan_input_axes", [.. Enumerable.Repeat(order.InputAxis, steps)]),
            NodeAttribute.Of("scan_input_directions", [.. Enumerable.Repeat(order.InputDirection, steps)]),
            NodeAttribute.Of("scan_output_axes", [.. Enumerable.Repeat(order.OutputAxis, stacked)]),
            NodeAttribute.Of("scan_output_directions", [.. Enumerable.Repeat(order.OutputDirection, stacked)]),
        ]);
    }
}
