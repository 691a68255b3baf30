using OrtPeft.Tensors;

namespace OrtPeft.Onnx;

/// <summary>Reads the content of <c>Constant</c> nodes, whichever of the attributes holds it.</summary>
internal static class ConstantNodes
{
    public static Tensor? ContentOf(Node node)
    {
        foreach (var attribute in node.Attributes)
        {
            switch (attribute.Name)
            {
                case "value":
                    return attribute.AsTensor();
                case "value_int":
                    return Tensor.Scalar(attribute.AsInt());
                case "value_ints":
                    return Tensor.Vector<long>(attribute.AsInts().AsSpan());
                case "value_float":
                    return Tensor.Scalar(attribute.AsFloat());
                case "value_floats":
                    return Tensor.Vector<float>(attribute.AsFloats().AsSpan());
                default:
                    break;
            }
        }

        return null;
    }
}
