using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Autodiff.Tests.Proof;

/// <summary>One row: a small graph around one operator, and the point at which its gradient is checked.</summary>
/// <param name="op">The operator that the row is for.</param>
/// <param name="name">What is special about the row; unique for its operator.</param>
/// <param name="build">Adds the graph; all its results enter the loss.</param>
/// <param name="inputs">What is fed; the loss is differentiated with respect to all floating-point ones.</param>
internal sealed class GradientCase(
    string op, string name, Func<GraphBuilder, Value[], IReadOnlyList<Value>> build, params TestInput[] inputs)
{
    public string Op => op;

    public string Name => $"{op}: {name}";

    public IReadOnlyList<TestInput> Inputs => inputs;

    /// <summary>
    /// How far each element is moved, relative to its size. 1e-5 balances the differences' own errors: cut-off of about
    /// 1e-10/6 times the third derivative, and rounding of about 1e-16/1e-5 times the loss.
    /// </summary>
    public double Step { get; init; } = 1e-5;

    /// <summary>The version of the standard operator set that the graph is written for.</summary>
    public int Opset { get; init; } = GradientModel.Opset;

    /// <summary>The rules; the default ones unless the graph has operators of its own.</summary>
    public GradientTable Table { get; init; } = GradientTable.Default;

    /// <summary>Puts standard operators in the place of those once the graph is differentiated.</summary>
    public Action<GraphBuilder> Lower { get; init; } = static _ => { };

    public IReadOnlyList<Value> Build(GraphBuilder g, Value[] x) => build(g, x);

    /// <summary>An operator with one input, without attributes.</summary>
    public static GradientCase Unary(string op, string name, TestInput x) =>
        new(op, name, (g, v) => [g.Op(op, v[0])], x);
}
