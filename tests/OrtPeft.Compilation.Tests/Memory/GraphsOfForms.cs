using OrtPeft.Adapters.Tests;
using OrtPeft.Adapters.Tests.Llama;
using OrtPeft.Compilation.Memory;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Testing;

namespace OrtPeft.Compilation.Tests.Memory;

/// <summary>Graphs of seven forms, whose memory is compared.</summary>
internal static class GraphsOfForms
{
    private static readonly string[] Names =
    [
        "gpt2", "llama", "exports/dynamo_llama.onnx", "exports/dynamo_softcap.onnx", "exports/torchscript_falcon.onnx",
        "exports/genai_int4_llama.onnx", "exports/genai_sinks.onnx",
    ];

    /// <summary>Each of them with each share of it run again.</summary>
    public static TheoryData<string, double> At(params double[] shares)
    {
        var data = new TheoryData<string, double>();
        foreach (var name in Names)
        {
            foreach (var share in shares)
                data.Add(name, share);
        }

        return data;
    }

    public static Model Open(string name, int? layers = null) => name switch
    {
        "gpt2" => Gpt2.Open(Gpt2.Imported),
        "llama" => SmallLlama.Model("llama", layers),
        _ => OnnxFile.Load(Path.Combine(Fixtures.Folder, name)),
    };

    /// <summary>The most bytes at a time, of <see cref="TrainingRows"/>.</summary>
    public static long PeakOf(Graph graph) => GraphMemory.PeakOf(graph, GraphLengths.Of(graph, new PartSize(3, 11, 30)));
}
