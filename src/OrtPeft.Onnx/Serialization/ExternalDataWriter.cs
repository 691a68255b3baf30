using System.Globalization;
using OrtPeft.Onnx.Serialization.Proto;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Onnx.Serialization;

/// <summary>
/// Writes large tensors one after the other into a stream and notes in their messages where they are. The same bytes,
/// met again in another model, are written once.
/// </summary>
/// <param name="location">The file's name relative to the model.</param>
/// <param name="target">Where the bytes go.</param>
/// <param name="threshold">Tensors of fewer bytes stay in the model.</param>
internal sealed class ExternalDataWriter(string location, Stream target, long threshold)
{
    private const int Alignment = 4096;

    private readonly Dictionary<TensorData, long> _written = new(ReferenceEqualityComparer.Instance);

    public void Write(Tensor tensor, TensorProto proto)
    {
        if (tensor.Type == ElementType.String || tensor.Data.Length < threshold)
        {
            GraphWriter.Embed(tensor, proto);
            return;
        }

        if (!_written.TryGetValue(tensor.Data, out var place))
            _written[tensor.Data] = place = Append(tensor.Data);
        PointTo(proto, location, place, tensor.Data.Length);
    }

    public static void PointTo(TensorProto proto, string location, long offset, long length)
    {
        proto.DataLocation = TensorProto.Types.DataLocation.External;
        proto.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = location });
        proto.ExternalData.Add(Entry("offset", offset));
        proto.ExternalData.Add(Entry("length", length));
    }

    private long Append(TensorData data)
    {
        var padding = (int)((Alignment - (target.Position % Alignment)) % Alignment);
        target.Write(new byte[padding]);
        var place = target.Position;
        data.CopyTo(target);
        return place;
    }

    private static StringStringEntryProto Entry(string key, long value) =>
        new() { Key = key, Value = value.ToString(CultureInfo.InvariantCulture) };
}
