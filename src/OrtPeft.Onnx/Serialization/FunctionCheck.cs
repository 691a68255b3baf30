using Google.Protobuf;
using OrtPeft.Onnx.Serialization.Proto;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Serialization;

/// <summary>Model-local functions must not call themselves: ONNX Runtime would inline them without an end.</summary>
internal static class FunctionCheck
{
    public static void Run(string path, ModelProto proto)
    {
        var callees = new Dictionary<string, string[]>(StringComparer.Ordinal);
        foreach (var function in proto.Functions.Select(bytes => Parse(path, bytes)))
        {
            var calls = NodeWalk.Of(function.Node).Select(static n => NameOf(n.Domain, n.OpType, n.Overload));
            callees[NameOf(function.Domain, function.Name, function.Overload)] = [.. calls.Distinct()];
        }

        while (callees.Count > 0)
        {
            var leaves = callees.Where(f => !f.Value.Any(callees.ContainsKey)).Select(static f => f.Key).ToArray();
            if (leaves.Length == 0)
                throw Circle(path, callees.Keys);
            foreach (var leaf in leaves)
                callees.Remove(leaf);
        }
    }

    private static string NameOf(string domain, string name, string overload) =>
        overload.Length == 0 ? $"{domain}.{name}" : $"{domain}.{name}:{overload}";

    private static FunctionProto Parse(string path, ByteString bytes)
    {
        try
        {
            return FunctionProto.Parser.ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new OnnxFormatException($"{path}: a model-local function is damaged: {e.Message}", e);
        }
    }

    private static OnnxFormatException Circle(string path, IEnumerable<string> names) => new(
        $"{path}: the model-local functions {string.Join(", ", names.Order(StringComparer.Ordinal))} call each other "
        + "in a circle, or depend on such; export the model with its functions inlined.");
}
