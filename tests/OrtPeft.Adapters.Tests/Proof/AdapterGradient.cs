using OrtPeft.Autodiff;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Proof;

/// <summary>
/// Proves the gradient of an adapter: its graph and the gradient run in ONNX Runtime in float64, and every element of
/// every parameter's gradient is compared with the central difference of a weighted sum of the outputs.
/// </summary>
internal static class AdapterGradient
{
    /// <summary>
    /// With a step h the difference of numbers of size 10 is good to 10·2⁻⁵²/h = 1e-10 by rounding and to h² = 1e-10 by
    /// curvature; a float32 number on the way would show as 1e-7.
    /// </summary>
    private const double Step = 1e-5;

    private const double Tolerance = 1e-8;

    public static void MustBeTheDifference(PeftModel peft, double[] x, long rows)
    {
        var model = InDouble(peft, rows);
        var feeds = peft.Parameters.ToDictionary(static p => p.Name, static p => Doubled(p.Value.Initializer!));
        feeds["x"] = Tensor.Of<double>(x, [rows, x.Length / rows]);
        using var session = ModelSession.Open(model, new RuntimeOptions { Threads = 1 });
        var gradients = OnnxRun.Of(session, feeds);

        foreach (var name in peft.Parameters.Select(static p => p.Name))
        {
            var at = Probe.Doubles(feeds[name]).ToArray();
            var gradient = Probe.Doubles(gradients[$"{name}.grad"]).ToArray();
            Assert.Contains(gradient, static v => v != 0);
            for (var i = 0; i < at.Length; i++)
            {
                var difference = (Loss(i, Step) - Loss(i, -Step)) / (2 * Step);
                var isNear = Math.Abs(gradient[i] - difference) <= Tolerance * (1 + Math.Abs(difference));
                Assert.True(isNear, $"{name}[{i}]: {gradient[i]:R}, the central difference is {difference:R}");
            }

            double Loss(int index, double by)
            {
                var moved = at.ToArray();
                moved[index] += by;
                var changed = new Dictionary<string, Tensor>(feeds)
                {
                    [name] = Tensor.Of<double>(moved, feeds[name].Dims.AsSpan()),
                };
                return Probe.Doubles(OnnxRun.Of(session, changed)["loss"])[0];
            }
        }
    }

    private static Model InDouble(PeftModel peft, long rows)
    {
        var model = peft.Model.Clone();
        var graph = model.Graph;
        foreach (var value in graph.Values.Where(static v => v.Type == ElementType.Float).ToArray())
        {
            value.Type = ElementType.Double;
            if (value.Initializer is { } content)
                graph.SetInitializer(value, Doubled(content));
        }

        var parameters = peft.Parameters.Select(p => graph.Find(p.Value.Name)!).ToList();
        parameters.ForEach(graph.TurnIntoInput);
        var shapes = new ShapeInference(model.Opset);
        shapes.Infer(graph);
        var g = new GraphBuilder(graph, shapes);
        var y = graph.Outputs[0];
        var width = y.Shape![1].Value!.Value;
        var weights = g.Constant(Tensor.Of<double>(Probe.Numbers((int)(rows * width), 0.9), [rows, width]));
        var loss = g.ReduceSum(g.Mul(y, weights), [], keepDims: false);
        var gradients = new Differentiator(model, g).Differentiate([new Seed(y, weights)], parameters);
        graph.RemoveOutput(y);
        Output(loss, "loss");
        foreach (var (parameter, gradient) in peft.Parameters.Zip(gradients))
            Output(gradient, $"{parameter.Name}.grad");
        graph.RemoveDeadCode();
        return model;

        void Output(Value value, string name)
        {
            var output = g.Op("Identity", value);
            graph.Rename(output, name);
            graph.AddOutput(output);
        }
    }

    private static Tensor Doubled(Tensor tensor) =>
        Tensor.Of<double>([.. tensor.ToFloat32().Select(static v => (double)v)], tensor.Dims.AsSpan());
}
