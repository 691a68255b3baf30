using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Autodiff.Tests.Proof;

/// <summary>One row: a small graph around one operator, and the point at which its gradient is checked.</summary>
/// <param name="Op">The operator that the row is for.</param>
/// <param name="What">What is special about the row; unique for its operator.</param>
/// <param name="Build">Adds the graph; all its results enter the loss.</param>
/// <param name="Inputs">What is fed; the loss is differentiated with respect to all floating-point ones.</param>
internal sealed record GradientCase(
    string Op,
    string What,
    Func<GraphBuilder, Value[], IReadOnlyList<Value>> Build,
    params IReadOnlyList<TestInput> Inputs)
{
    public string Name => $"{Op}: {What}";

    /// <summary>
    /// How far each element is moved, relative to its size. 1e-5 balances the differences' own errors: cut-off of about
    /// 1e-10/6 times the third derivative, and rounding of about 1e-16/1e-5 times the loss.
    /// </summary>
    public double Step { get; init; } = 1e-5;

    /// <summary>The version of the standard operator set that the graph is written for.</summary>
    public int Opset { get; init; } = GradientModel.Opset;

    /// <summary>The rules; the default ones unless the graph has operators of its own.</summary>
    public GradientTable Table { get; init; } = GradientTable.Default;

    /// <summary>Puts operators of its own into the graph before it is differentiated, given what is differentiated.
    /// </summary>
    public Action<GraphBuilder, IReadOnlySet<Value>> Raise { get; init; } = static (_, _) => { };

    /// <summary>Puts standard operators in the place of those once the graph is differentiated.</summary>
    public Action<GraphBuilder> Lower { get; init; } = static _ => { };

    /// <summary>An operator with one input, without attributes.</summary>
    public static GradientCase Unary(string op, string name, TestInput x) =>
        new(op, name, (g, v) => [g.Op(op, v[0])], x);
}
