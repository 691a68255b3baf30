using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Kernels.Operators;

/// <summary>Attention's probabilities in standard operators: the softmax of masked scores, and what exporters put
/// after it against scores of which −∞ hides all, <c>Where(IsNaN(P), 0, P)</c>.</summary>
/// <param name="Scores">The scores and their mask.</param>
/// <param name="Last">The node that makes P.</param>
/// <param name="IsGuarded">Whether 0 stands in the place of what is not a number.</param>
internal sealed record Probabilities(MaskedScores Scores, Node Last, bool IsGuarded)
{
    /// <summary>What a softmax makes probabilities of; null where it works along another axis, or the mask is
    /// differentiated.</summary>
    public static Probabilities? Of(Node softmax, RaisingContext context)
    {
        if (!NormForm.IsOfLastAxis(softmax) || MaskedScores.Of(softmax.Inputs[0]!) is not { } scores
            || scores.Masks.Any(context.Differentiated.Contains))
            return null;
        return GuardOf(softmax) is { } guard
            ? new Probabilities(scores, guard, true)
            : new Probabilities(scores, softmax, false);
    }

    /// <summary>The operators' input for it.</summary>
    public Value? Guard(GraphBuilder g) => IsGuarded ? g.ScalarLike(Scores.S, 0) : null;

    private static Node? GuardOf(Node softmax)
    {
        if (softmax.Output is not { IsGraphOutput: false, Uses.Count: 2 } p)
            return null;
        var where = p.Uses.Select(static u => u.Node).FirstOrDefault(static n => n.Is("Where"));
        return where?.Inputs[2] == p && where.Inputs[0] is { Producer: { } test, IsGraphOutput: false, Uses: [_] }
            && test.Is("IsNaN") && test.Inputs[0] == p && IsZero(where.Inputs[1]!)
            && where.Output.Shape?.Rank == p.Shape?.Rank
                ? where
                : null;
    }

    private static bool IsZero(Value value) =>
        value.Constant is { Count: 1 } number && number.Type.IsFloating() && number.ToFloat32()[0] == 0;
}
