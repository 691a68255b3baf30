using Microsoft.ML.OnnxRuntime;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Tests.Modules;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Quantization;

/// <summary>Bases whose weights ONNX Runtime's optimiser packed into <c>MatMulNBits</c>.</summary>
public sealed class PackedBaseTests
{
    private static readonly LoraConfig Lora = new() { R = 4, InitLoraWeights = false, TargetModules = "all-linear" };

    [Theory]
    [InlineData(Gpt2.Imported, "int4")]
    [InlineData(Gpt2.Imported, "uint4")]
    [InlineData(Gpt2.Imported, "uint8")]
    public void Step_OnAPackedBase_IsTheDequantisedOnes(string name, string form)
    {
        using var folder = new TemporaryFolder();
        var quantized = QuantizedBase.Quantized(name, form);
        OnnxFile.Save(quantized, folder["model.onnx"]);
        var packed = OptimizedGraph.Of(folder["model.onnx"], GraphOptimizationLevel.ORT_ENABLE_EXTENDED, folder);
        Assert.Contains(packed.Graph.Nodes, static n => n.OpType == "MatMulNBits");
        var batch = QuantizedBase.Batch(name);

        var actual = Goldens.Step.Of(PeftModel.Create(packed, Lora, seed: 3), batch);

        var dequantized = PeftModel.Create(QuantizedBase.Dequantized(quantized), Lora, seed: 3);
        var expected = Goldens.Step.Of(dequantized, batch);
        Assert.Equal(expected.Loss, actual.Loss, 1e-5 * expected.Loss);
        Assert.Equal(expected.Gradients.Keys.Order(), actual.Gradients.Keys.Order());
        foreach (var (parameter, gradient) in expected.Gradients)
            Near.Relative(gradient, actual.Gradients[parameter], 1e-5, parameter); // float32 sums in another order
    }
}
