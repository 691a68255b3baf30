using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx;

/// <summary>A tensor's axes as graphs speak of them.</summary>
public static class TensorShape
{
    extension(Tensor tensor)
    {
        /// <summary>The axes as a shape.</summary>
        public Shape Shape => Shape.Of(tensor.Dims);
    }
}
