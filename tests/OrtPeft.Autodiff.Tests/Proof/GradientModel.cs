using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Autodiff.Tests.Proof;

/// <summary>
/// A case as a model: its inputs <c>x0</c>, <c>x1</c>, …, the loss Σ weights · results as <c>loss</c>, and its
/// gradients as
/// <c>d0</c>, <c>d1</c>, ….
/// </summary>
internal static class GradientModel
{
    public const int Opset = 21;

    public static Model Build(GradientCase row, ElementType type, ShapeKnowledge knowledge = ShapeKnowledge.Lengths)
    {
        var model = new Model(row.Opset);
        var g = new GraphBuilder(model.Graph, new ShapeInference(row.Opset));
        var x = row.Inputs
            .Select((input, i) => model.Graph.AddInput($"x{i}", input.Type ?? type, knowledge.Of(input.Dims, i)))
            .ToArray();
        // What takes a result's place is found behind the node that makes it an output.
        var results = row.Build(g, x).Select((y, i) => Output(g, $"y{i}", y)).ToArray();
        var seeds = results.Select((y, i) => new Seed(y, Weights(g, y, i))).ToArray();
        Output(g, "loss", Loss(g, seeds));
        Value[] wanted = [.. x.Where((_, i) => row.Inputs[i].IsDifferentiated)];
        row.Raise(g, DifferentiablePath.Between(wanted, results).Values);
        var gradients = new Differentiator(model, g, row.Table).Differentiate(seeds, wanted);
        foreach (var (value, gradient) in wanted.Zip(gradients))
            Output(g, $"d{value.Name[1..]}", gradient);
        row.Lower(g);
        model.Graph.RemoveDeadCode();
        if (type == ElementType.Double)
            DoubleKernels.Lower(model);
        return model;
    }

    /// <summary>
    /// Fixed numbers without a pattern that an operator's derivative could share, in a result's shape.
    /// </summary>
    public static Value Weights(GraphBuilder g, Value y, int place)
    {
        var count = g.Cast(g.Op("Range", g.Int64Scalar(0), g.Op("Size", y), g.Int64Scalar(1)), y.Type);
        var numbers = g.Op("Sin", g.Add(g.Mul(count, 1.7), 0.4 + place));
        return g.Op("Reshape", [numbers, g.Shape(y)], NodeAttribute.Of("allowzero", 1L));
    }

    private static Value Loss(GraphBuilder g, IEnumerable<Seed> seeds) => seeds
        .Select(s => g.Cast(g.ReduceSum(g.Mul(s.Value, s.Gradient), [], keepDims: false), ElementType.Double))
        .Aggregate(g.Add);

    private static Value Output(GraphBuilder g, string name, Value value)
    {
        var output = g.Op("Identity", value);
        g.Graph.Rename(output, name);
        g.Graph.AddOutput(output);
        return output;
    }
}
