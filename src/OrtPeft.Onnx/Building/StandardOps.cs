using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Building;

/// <summary>The standard operators as methods, in the form they have from opset 18 on.</summary>
/// <seealso href="https://github.com/onnx/onnx/blob/main/docs/Operators.md"/>
public static class StandardOps
{
    extension(GraphBuilder g)
    {
        /// <summary><c>Add</c>: a + b, broadcast.</summary>
        public Value Add(Value a, Value b) => g.Op("Add", a, b);

        /// <summary><c>Sub</c>: a − b, broadcast.</summary>
        public Value Sub(Value a, Value b) => g.Op("Sub", a, b);

        /// <summary><c>Mul</c>: a · b, broadcast.</summary>
        public Value Mul(Value a, Value b) => g.Op("Mul", a, b);

        /// <summary><c>Mul</c> by a constant number.</summary>
        public Value Mul(Value a, double b) => g.Op("Mul", a, g.ScalarLike(a, b));

        /// <summary><c>Add</c> of a constant number.</summary>
        public Value Add(Value a, double b) => g.Op("Add", a, g.ScalarLike(a, b));

        /// <summary><c>Div</c>: a / b, broadcast.</summary>
        public Value Div(Value a, Value b) => g.Op("Div", a, b);

        /// <summary><c>Neg</c>: −a.</summary>
        public Value Neg(Value a) => g.Op("Neg", a);

        /// <summary><c>Pow</c>: a to a constant power.</summary>
        public Value Pow(Value a, double exponent) => g.Op("Pow", a, g.ScalarLike(a, exponent));

        /// <summary><c>Cast</c> to an element type; the value itself when it has it already.</summary>
        public Value Cast(Value a, ElementType to) =>
            a.Type == to ? a : g.Op("Cast", [a], NodeAttribute.Of("to", (long)to));

        /// <summary><c>MatMul</c>: batched product over the last two axes.</summary>
        public Value MatMul(Value a, Value b) => g.Op("MatMul", a, b);

        /// <summary><c>Gemm</c>: alpha · A′B′ + beta · C of matrices, A′ and B′ transposed on request.</summary>
        public Value Gemm(
            Value a, Value b, Value? c = null, bool transA = false, bool transB = false, float alpha = 1) =>
            g.Op(
                "Gemm",
                c is null ? [a, b] : [a, b, c],
                NodeAttribute.Of("transA", transA ? 1L : 0L),
                NodeAttribute.Of("transB", transB ? 1L : 0L),
                NodeAttribute.Of("alpha", alpha));

        /// <summary><c>Transpose</c> with a permutation of the axes.</summary>
        public Value Transpose(Value a, params ReadOnlySpan<long> perm) =>
            g.Op("Transpose", [a], NodeAttribute.Of("perm", [.. perm]));

        /// <summary><c>Reshape</c> to constant lengths; 0 keeps an axis, −1 takes the rest.</summary>
        public Value Reshape(Value a, params ReadOnlySpan<long> shape) => g.Op("Reshape", a, g.Int64(shape));

        /// <summary><c>Reshape</c> to lengths given as [rank] int64, each of them meant as it stands, 0 too.</summary>
        public Value ReshapeTo(Value a, Value shape) =>
            g.Op("Reshape", [a, shape], NodeAttribute.Of("allowzero", 1L));

        /// <summary><c>Reshape</c> to the shape of another value.</summary>
        public Value ReshapeLike(Value a, Value like) =>
            like.Shape?.ToStatic() is { } known && !known.Contains(0)
                ? g.Reshape(a, known.AsSpan())
                : g.ReshapeTo(a, g.Shape(like));

        /// <summary><c>Shape</c>: the axes' lengths, [rank] int64.</summary>
        public Value Shape(Value a) => g.Op("Shape", a);

        /// <summary><c>Expand</c>: broadcast to a shape given as [rank] int64.</summary>
        public Value Expand(Value a, Value shape) => g.Op("Expand", a, shape);

        /// <summary><c>Squeeze</c>: drops axes of length 1.</summary>
        public Value Squeeze(Value a, params ReadOnlySpan<long> axes) => g.Op("Squeeze", a, g.Int64(axes));

        /// <summary><c>Unsqueeze</c>: inserts axes of length 1.</summary>
        public Value Unsqueeze(Value a, params ReadOnlySpan<long> axes) => g.Op("Unsqueeze", a, g.Int64(axes));

        /// <summary><c>Concat</c> along an axis.</summary>
        public Value Concat(long axis, params ReadOnlySpan<Value?> parts) =>
            g.Op("Concat", parts, NodeAttribute.Of("axis", axis));

        /// <summary><c>Gather</c>: slices of a along an axis, by indices.</summary>
        public Value Gather(Value a, Value indices, long axis = 0) =>
            g.Op("Gather", [a, indices], NodeAttribute.Of("axis", axis));

        /// <summary><c>ReduceSum</c> over axes; over all when none is given.</summary>
        public Value ReduceSum(Value a, ReadOnlySpan<long> axes, bool keepDims = true) =>
            g.Op(
                "ReduceSum", axes.IsEmpty ? [a] : [a, g.Int64(axes)], NodeAttribute.Of("keepdims", keepDims ? 1L : 0L));

        /// <summary><c>ReduceMean</c> over axes.</summary>
        public Value ReduceMean(Value a, ReadOnlySpan<long> axes, bool keepDims = true) =>
            g.Op("ReduceMean", [a, g.Int64(axes)], NodeAttribute.Of("keepdims", keepDims ? 1L : 0L));

        /// <summary><c>Softmax</c> along an axis.</summary>
        public Value Softmax(Value a, long axis = -1) => g.Op("Softmax", [a], NodeAttribute.Of("axis", axis));

        /// <summary><c>LogSoftmax</c> along an axis.</summary>
        public Value LogSoftmax(Value a, long axis = -1) => g.Op("LogSoftmax", [a], NodeAttribute.Of("axis", axis));

        /// <summary>
        /// <c>Dropout</c> in training mode: each element becomes 0 with a probability, 0 to below 1; the others are
        /// divided by the probability that they stay.
        /// </summary>
        public Value Dropout(Value a, double probability) =>
            g.Op("Dropout", a, g.Scalar(ElementType.Float, probability), g.Scalar(ElementType.Bool, 1));

        /// <summary><c>Where</c>: a where the condition holds, else b; broadcast.</summary>
        public Value Where(Value condition, Value a, Value b) => g.Op("Where", condition, a, b);

        /// <summary><c>Split</c> along an axis into parts of given lengths.</summary>
        public IReadOnlyList<Value> Split(Value a, long axis, params ReadOnlySpan<long> lengths) =>
            g.Ops("Split", lengths.Length, [a, g.Int64(lengths)], [NodeAttribute.Of("axis", axis)]);

        /// <summary><c>ConstantOfShape</c>: zeros in the shape of another value.</summary>
        public Value ZerosLike(Value like)
        {
            var zero = Tensor.Of<byte>(new byte[like.Type.ByteCount(1)], [(long)like.Type.ByteCount(1)]);
            var content = new Tensor(like.Type, [1], zero.Data);
            return g.Op("ConstantOfShape", [g.Shape(like)], NodeAttribute.Of("value", content));
        }
    }
}
