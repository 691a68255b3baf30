using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Kernels.Tests;

/// <summary>What one of OrtPeft's own operators must compute, said in standard operators.</summary>
/// <param name="Op">The operator.</param>
/// <param name="What">What is special about the inputs.</param>
/// <param name="Inputs">The inputs; null for one that is left out.</param>
/// <param name="Expected">The results, from the same inputs.</param>
public sealed record KernelCase(
    string Op,
    string What,
    IReadOnlyList<Tensor?> Inputs,
    Func<GraphBuilder, IReadOnlyList<Value>, IReadOnlyList<Value>> Expected)
{
    public const int Opset = 21;

    /// <summary>The name of its test.</summary>
    public string Name => $"{Op}: {What}";

    /// <summary>The expected results.</summary>
    /// <returns>y0, y1, …</returns>
    public IReadOnlyDictionary<string, Tensor> Compute()
    {
        var model = new Model(Opset);
        var g = new GraphBuilder(model.Graph, new ShapeInference(Opset));
        AddOutputs(model.Graph, Expected(g, AddInputs(model.Graph, Inputs)));
        return OnnxRun.Of(model, Feeds(Inputs));
    }

    /// <summary>The inputs' values, x0, x1, …, of which those that are left out are null.</summary>
    internal static List<Value> AddInputs(Graph graph, IReadOnlyList<Tensor?> inputs) =>
    [
        .. inputs.Index().Select(i => i.Item is { } tensor
            ? graph.AddInput($"x{i.Index}", tensor.Type, Shape.Of([.. tensor.Dims]))
            : null!),
    ];

    /// <summary>Makes values a graph's outputs.</summary>
    internal static void AddOutputs(Graph graph, IReadOnlyList<Value> outputs)
    {
        foreach (var (index, output) in outputs.Index())
        {
            graph.Rename(output, $"y{index}");
            output.Type = ElementType.Float;
            graph.AddOutput(output);
        }
    }

    /// <summary>The inputs that are there.</summary>
    internal static Dictionary<string, Tensor> Feeds(IReadOnlyList<Tensor?> inputs) => inputs.Index()
        .Where(static i => i.Item is not null).ToDictionary(static i => $"x{i.Index}", static i => i.Item!);
}
