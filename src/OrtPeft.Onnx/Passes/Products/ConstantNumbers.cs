using OrtPeft.Onnx.Quantization;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Passes.Products;

/// <summary>Numbers of any type as float32.</summary>
internal static class ConstantNumbers
{
    extension(Tensor tensor)
    {
        /// <summary>The tensor in float32; null where its type has no numbers, or some are beyond float32's whole
        /// ones.</summary>
        public Tensor? AsFloats()
        {
            if (tensor.Type.IsFloating())
                return tensor.Widened();
            if (tensor.Count > Array.MaxLength)
                return null;
            if (PackedIntegers.IsPacked(tensor.Type))
            {
                var bytes = PackedIntegers.BytesOf(tensor);
                var numbers = new float[tensor.Count];
                for (var i = 0; i < numbers.Length; i++)
                    numbers[i] = PackedIntegers.Get(bytes, tensor.Type, i);
                return ConstantValue.With(tensor.Dims, numbers);
            }

            return tensor.Type is ElementType.Int32 or ElementType.Int64
                ? ConstantValue.With(tensor.Dims, [.. tensor.ToInt64().Select(static v => (float)v)])
                : null;
        }
    }
}
