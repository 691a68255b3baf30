using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Passes;

/// <summary>
/// Turns loops that run a given number of times, and whose states keep their axes, into <c>Scan</c> over the numbers of
/// the steps, which has a gradient. Loops that a condition ends, whose states grow, or that have layers inside, stay.
/// </summary>
internal static class LoopsToScans
{
    /// <summary>Runs the pass in place.</summary>
    /// <param name="model">The model, its types and axes as far as the file tells them.</param>
    public static void Run(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var graph = model.Graph;
        if (!graph.Nodes.Any(static n => n.Is("Loop")))
            return;
        var g = GraphBuilder.Over(model);
        foreach (var loop in graph.Nodes.Where(static n => n.Is("Loop")).ToArray())
        {
            if (ControlFlow.HasLayers(loop) || Counted(loop) is not { } body)
                continue;
            var name = graph.FreshName(loop.Name.Length > 0 ? loop.Name : loop.Output.Name);
            var again = GraphCopy.Again(body, $"{name}/");
            if (StatesStay(loop, again, g.Shapes))
                Replace(g, loop, name, again);
            else
                Discard(again);
        }

        graph.RemoveDeadCode();
    }

    /// <summary>The reason why a loop is no <c>Scan</c>, as the end of a clause.</summary>
    /// <returns>Such as <c>, until 'going' ends it</c>.</returns>
    public static string ObstacleOf(Node loop)
    {
        ArgumentNullException.ThrowIfNull(loop);
        if (loop.Attributes.Graph("body") is { Inputs: [_, var going, ..], Outputs: [var goesOn, ..] } && !GoesOn(loop, going, goesOn))
            return $", until '{(IsTrue(loop.Input(1)) ? goesOn.Name : loop.Input(1)!.Name)}' ends it";
        return loop.Input(0) is { Type: ElementType.Int64 }
            ? ", with states that may not keep their type and axes from step to step"
            : ", without a given number of steps";
    }

    /// <summary>The body of a loop that nothing but its number of steps ends; null of others.</summary>
    private static Graph? Counted(Node loop)
    {
        var body = loop.Attributes.Graph("body");
        return body is { Inputs: [_, var going, ..], Outputs: [var goesOn, ..] }
            && loop.Input(0) is { Type: ElementType.Int64, Shape.Rank: 0 or 1 }
            && GoesOn(loop, going, goesOn)
            && body.Inputs.Count == Math.Max(2, loop.Inputs.Count)
            && body.Outputs.Count == loop.Outputs.Count + 1 && body.Outputs.Count > body.Inputs.Count - 2
            ? body
            : null;
    }

    private static bool GoesOn(Node loop, Value going, Value goesOn) =>
        IsTrue(loop.Input(1)) && (goesOn == going || IsTrue(goesOn) || IsPassedOn(goesOn, going));

    private static bool IsTrue(Value? condition) =>
        condition is null || (condition.Constant is { Count: 1, Type: ElementType.Bool } known && known.Data.Slice(0, 1)[0] != 0);

    private static bool IsPassedOn(Value value, Value from)
    {
        while (value.Producer is { } node && node.Is("Identity"))
            value = node.Inputs[0]!;
        return value == from || IsTrue(value);
    }

    /// <summary>Whether each state has the same type and axes after a step as before it. The axes are put into a copy: of a
    /// loop that stays they may be wrong after the first step.</summary>
    private static bool StatesStay(Node loop, Graph body, ShapeInference shapes)
    {
        (body.Inputs[0].Type, body.Inputs[0].Shape) = (ElementType.Int64, []);
        (body.Inputs[1].Type, body.Inputs[1].Shape) = (ElementType.Bool, []);
        foreach (var (state, given) in body.Inputs.Skip(2).Zip(loop.Inputs.Skip(2)))
        {
            if (given?.Shape is null || given.Type == ElementType.Undefined)
                return false;
            (state.Type, state.Shape) = (given.Type, given.Shape);
        }

        shapes.Infer(body);
        return body.Inputs.Skip(2).Zip(body.Outputs.Skip(1)).All(static s => s.First.Type == s.Second.Type
            && s.First.Shape is { } before && s.Second.Shape is { } after && before.Rank == after.Rank
            && before.Zip(after, static (b, a) => b.SurelyEquals(a)).All(static same => same));
    }

    /// <summary>Gives up what a copy reads of the graph around it.</summary>
    private static void Discard(Graph copy)
    {
        foreach (var result in copy.Outputs.ToArray())
            copy.RemoveOutput(result);
        copy.RemoveDeadCode();
    }

    private static void Replace(GraphBuilder g, Node loop, string name, Graph again)
    {
        var (step, going) = (again.Inputs[0], again.Inputs[1]);
        var states = again.Inputs.Skip(2).ToArray();
        again.RemoveOutput(again.Outputs[0]);
        if (going.Uses.Count > 0 || again.Outputs.Contains(going))
            again.ReplaceAllUsesWith(going, again.AddInitializer($"{name}/true", Tensor.Scalar(true)));
        again.RemoveDeadCode();
        again.Remove(going);
        again.OrderInputs([.. states, step]);
        (g.Before, g.Scope) = (loop, name);
        var count = loop.Inputs[0]!;
        var steps = g.Op(
            "Range", g.Int64Scalar(0), count.Shape!.Rank == 0 ? count : g.Squeeze(count, 0), g.Int64Scalar(1));
        var results = g.Ops(
            "Scan",
            loop.Outputs.Count,
            [.. loop.Inputs.Skip(2), steps],
            [NodeAttribute.Of("body", again), NodeAttribute.Of("num_scan_inputs", 1L)]);
        Replacement.Put(g, loop, [.. results]);
        (g.Before, g.Scope) = (null, "");
    }
}
