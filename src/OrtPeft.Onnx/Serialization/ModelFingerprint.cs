using System.Globalization;
using Google.Protobuf;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Onnx.Serialization;

/// <summary>Tells models apart by what they compute, wherever their files are and whatever wrote them.</summary>
internal static class ModelFingerprint
{
    /// <summary>
    /// Hashes a graph's nodes with their attributes, the names, types and shapes of its inputs, outputs and weights,
    /// every byte of the weights, and the operator sets; not the producer, metadata or inferred shapes. Weights pass
    /// through in pieces, so it takes as long as reading the model once.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <returns>16 hexadecimal digits.</returns>
    public static string Of(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var hash = new ContentHash();
        foreach (var (domain, version) in model.Opsets)
            hash.Add(string.Create(CultureInfo.InvariantCulture, $"{domain} {version}"));
        var graph = new GraphWriter((tensor, proto) => hash.Add(proto.Name, tensor)).Write(model.Graph);
        graph.ValueInfo.Clear();
        hash.Add(graph.ToByteArray());
        return hash.Text;
    }
}
