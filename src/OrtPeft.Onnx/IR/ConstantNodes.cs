using OrtPeft.Tensors;

namespace OrtPeft.Onnx;

/// <summary>Reads the content of <c>Constant</c> nodes, whichever of the attributes holds it.</summary>
internal static class ConstantNodes
{
    public static Tensor? ContentOf(Node node)
    {
        foreach (var name in node.Attributes.Select(static a => a.Name))
        {
            switch (name)
            {
                case "value":
                    return node.Attributes.Tensor(name);
                case "value_int":
                    return Tensor.Scalar(node.Attributes.Int(name, 0));
                case "value_ints":
                    return Tensor.Vector<long>(node.Attributes.Ints(name));
                case "value_float":
                    return Tensor.Scalar(node.Attributes.Float(name, 0));
                case "value_floats":
                    return Tensor.Vector<float>(node.Attributes.Floats(name));
                default:
                    break;
            }
        }

        return null;
    }
}
