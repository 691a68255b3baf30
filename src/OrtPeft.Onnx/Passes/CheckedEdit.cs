using System.Diagnostics;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Passes;

/// <summary>
/// Runs passes and rewrites so that errors name them, and validates the graph before and after each where the switch
/// <see cref="Switch"/> is on.
/// </summary>
internal static class CheckedEdit
{
    /// <summary>
    /// The <see cref="AppContext"/> switch that turns validation on; off by default, and read once. Validation costs a
    /// pass over the graph before and after each edit.
    /// </summary>
    public const string Switch = "OrtPeft.Onnx.ValidateGraphs";

    private static readonly bool Validates = AppContext.TryGetSwitch(Switch, out var isOn) && isOn;

    /// <summary>Edits a graph.</summary>
    /// <param name="name">What messages call the edit, such as <c>pass 'fuse-gelu'</c>.</param>
    /// <param name="graph">The graph.</param>
    /// <param name="edit">The edit.</param>
    /// <exception cref="PassException">The edit failed in a way that it does not foresee. What it refuses, such as an
    /// operator that it does not know, is thrown as it is.</exception>
    public static void Run(string name, Graph graph, Action edit)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(edit);
        Validate($"before {name}", graph);
        try
        {
            edit();
        }
        catch (Exception e) when (IsUnforeseen(e))
        {
            throw new PassException($"{name}: {e.GetType().Name}: {e.Message}", e);
        }

        Validate(name, graph);
    }

    private static void Validate(string name, Graph graph)
    {
        if (!Validates)
            return;
        try
        {
            GraphValidator.Check(graph);
        }
        catch (GraphException e)
        {
            throw new PassException($"{name}: {e.Message}", e);
        }
    }

    /// <summary>Whether code is wrong, rather than a file, a setting or the machine.</summary>
    private static bool IsUnforeseen(Exception e) => e is IndexOutOfRangeException or ArithmeticException
        or InvalidOperationException or NullReferenceException or KeyNotFoundException or InvalidCastException
        or NotSupportedException or UnreachableException or (ArgumentException and not SettingException);
}
