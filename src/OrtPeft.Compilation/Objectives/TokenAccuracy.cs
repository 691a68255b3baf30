using OrtPeft.Onnx;
using OrtPeft.Tensors;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Compilation.Objectives;

/// <summary>
/// Counts the supervised tokens that the model finds most likely, each after the right ones before it; the mean is the
/// accuracy. Takes <see cref="CausalLm"/>'s inputs. For evaluation only: it has no gradient.
/// </summary>
public sealed class TokenAccuracy : IObjective
{
    /// <inheritdoc/>
    public string Name => "token-accuracy";

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A gradient is wanted.</exception>
    public LossValues Build(LossScope scope)
    {
        ArgumentNullException.ThrowIfNull(scope);
        if (scope.Scale is not null)
            throw new ArgumentException("Accuracy has no gradient; it is for evaluation graphs.", nameof(scope));
        var g = scope.Builder;
        var (logits, targets, count) = CausalLm.RowsOf(scope);
        var found = g.Op(
            "ArgMax", [logits], NodeAttribute.Of("axis", -1L), NodeAttribute.Of("keepdims", 0L));
        var isRight = Cast(Equal(g.Term(found), targets), ElementType.Float);
        return new LossValues(LossSum.Of(isRight), count, []);
    }
}
