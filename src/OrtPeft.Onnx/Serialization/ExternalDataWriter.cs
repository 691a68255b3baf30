using System.Globalization;
using OrtPeft.Onnx.Serialization.Proto;

namespace OrtPeft.Onnx.Serialization;

/// <summary>
/// Writes large tensors one after the other into a stream and notes in their messages where they are.
/// </summary>
/// <param name="location">The file's name relative to the model.</param>
/// <param name="target">Where the bytes go.</param>
/// <param name="threshold">Tensors of fewer bytes stay in the model.</param>
internal sealed class ExternalDataWriter(string location, Stream target, long threshold)
{
    private const int Alignment = 4096;

    public void Write(Tensor tensor, TensorProto proto)
    {
        if (tensor.Type == ElementType.String || tensor.Data.Length < threshold)
        {
            GraphWriter.Embed(tensor, proto);
            return;
        }

        var padding = (int)((Alignment - (target.Position % Alignment)) % Alignment);
        target.Write(new byte[padding]);
        PointTo(proto, location, target.Position, tensor.Data.Length);
        tensor.Data.CopyTo(target);
    }

    public static void PointTo(TensorProto proto, string location, long offset, long length)
    {
        proto.DataLocation = TensorProto.Types.DataLocation.External;
        proto.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = location });
        proto.ExternalData.Add(Entry("offset", offset));
        proto.ExternalData.Add(Entry("length", length));
    }

    private static StringStringEntryProto Entry(string key, long value) =>
        new() { Key = key, Value = value.ToString(CultureInfo.InvariantCulture) };
}
