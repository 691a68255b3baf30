using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Autodiff;

/// <summary>
/// Sums a gradient over the axes along which its value was broadcast. Known axes are summed by number; where the shapes
/// do not tell, the axes are found at run time.
/// </summary>
internal sealed class Unbroadcast(GraphBuilder builder)
{
    public Value To(Value value, Value gradient)
    {
        if (value.Shape is null || gradient.Shape is null)
            return AtRunTime(value, gradient);
        if (value.Shape.Equals(gradient.Shape) && value.Shape.All(static d => d.IsKnown))
            return gradient;
        return Compare(value.Shape, gradient.Shape) is { } axes
            ? SumOver(axes, value, gradient)
            : AtRunTime(value, gradient);
    }

    /// <summary>The gradient's axes to sum, or null when the shapes do not tell.</summary>
    private static List<long>? Compare(Shape value, Shape gradient)
    {
        var extra = gradient.Rank - value.Rank;
        if (extra < 0)
            throw Mismatch(value, gradient);
        var axes = Enumerable.Range(0, extra).Select(static i => (long)i).ToList();
        for (var i = 0; i < value.Rank; i++)
        {
            var (have, want) = (gradient[extra + i], value[i]);
            if (want.Value == 1 && have.Value != 1)
                axes.Add(extra + i);
            else if (want.Value != 1 && !want.SurelyEquals(have) && want.Value is null)
                return null;
            else if (want.Value is { } w && have.Value is { } h && w != h)
                throw Mismatch(value, gradient);
        }

        return axes;
    }

    private static UnsupportedOpException Mismatch(Shape value, Shape gradient) =>
        new($"A gradient of shape {gradient} reached a value of shape {value}.");

    private Value SumOver(List<long> axes, Value value, Value gradient)
    {
        if (axes.Count == 0)
            return gradient;
        var extra = gradient.Shape!.Rank - value.Shape!.Rank;
        if (extra == axes.Count)
            return builder.ReduceSum(gradient, [.. axes], keepDims: false);
        var summed = builder.ReduceSum(gradient, [.. axes]);
        return extra == 0 ? summed : builder.Squeeze(summed, [.. axes.Take(extra)]);
    }

    /// <summary>
    /// An axis is summed where the value's length (1 for axes that it does not have) is 1; summing an axis of length 1
    /// is harmless, so the gradient's own lengths do not matter. One more axis in front is summed always, because ONNX
    /// Runtime takes an empty list of axes for all axes when the gradient has no elements.
    /// </summary>
    private Value AtRunTime(Value value, Value gradient)
    {
        var (have, want) = (builder.Shape(gradient), builder.Shape(value));
        var missing = builder.Sub(builder.Op("Size", have), builder.Op("Size", want));
        var extra = builder.Reshape(builder.Add(missing, builder.Int64Scalar(1)), 1);
        var ones = builder.Op("ConstantOfShape", [extra], NodeAttribute.Of("value", Tensor.Vector(1L)));
        var aligned = builder.Concat(0, ones, want);
        var isOne = builder.Op("Equal", aligned, builder.Int64Scalar(1));
        var axes = builder.Reshape(builder.Op("NonZero", isOne), -1);
        var summed = builder.Op("ReduceSum", builder.Unsqueeze(gradient, 0), axes);
        var result = builder.ReshapeTo(summed, want);
        (result.Type, result.Shape) = (value.Type, value.Shape);
        return result;
    }
}
