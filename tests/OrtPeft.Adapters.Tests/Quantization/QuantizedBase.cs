using OrtPeft.Adapters.Modules;
using OrtPeft.Adapters.Quantization;
using OrtPeft.Adapters.Tests.Llama;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Quantization;

/// <summary>Quantised decoders, and the same with the numbers that their integers stand for.</summary>
internal static class QuantizedBase
{
    public const string Llama = "llama";

    /// <summary>
    /// Every form in both layouts: GPT-2 stores [in, out], exported or imported, Llama [out, in]. The models' axes of
    /// 16 to 128 have whole blocks, several, and short ones.
    /// </summary>
    public static TheoryData<string, string, int> Cases
    {
        get
        {
            var cases = new TheoryData<string, string, int>();
            foreach (var name in new[] { Gpt2.Imported, Gpt2.Op17, Llama })
                foreach (var form in Forms.Keys)
                    foreach (var size in BlockFormat.BlockSizes)
                        cases.Add(name, form, size);
            return cases;
        }
    }

    public static IReadOnlyDictionary<string, BlockFormat> Forms { get; } = new Dictionary<string, BlockFormat>
    {
        ["int4"] = new() { Bits = 4 },
        ["uint4"] = new() { Bits = 4, IsSymmetric = false },
        ["int8"] = new() { Bits = 8 },
        ["uint8"] = new() { Bits = 8, IsSymmetric = false },
        ["nf4"] = new() { CodeBook = CodeBook.NormalFloat4 },
    };

    public static Model Float(string name) => name == Llama ? SmallLlama.Model(Llama) : Gpt2.Open(name);

    public static Model Quantized(string name, string form = "int4", int size = 32) =>
        ModelQuantizer.Quantize(Float(name), Forms[form] with { BlockSize = size }, ModuleTargets.AllLinear).Model;

    public static Model Dequantized(Model quantized)
    {
        var copy = quantized.Clone();
        foreach (var weight in copy.Graph.Nodes.Select(static n => QuantizedWeight.Find(n.Output)).ToArray())
            weight?.ReplaceBy(weight.ToFloat32());
        return copy;
    }

    public static Dictionary<string, Tensor> Batch(string name) =>
        name == Llama ? SmallLlama.Batch("right-padded") : DecoderLogits.WithPositions(TrainRun.Batch(1));
}
