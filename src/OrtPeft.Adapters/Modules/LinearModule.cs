using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Onnx.Quantization;

namespace OrtPeft.Adapters.Modules;

/// <summary>A linear layer found in a graph: y = x·W (+ bias), the weight constant.</summary>
public sealed record LinearModule
{
    /// <summary>The layer's path in the source model, such as <c>transformer.h.0.attn.c_attn</c>.</summary>
    public required string Name { get; init; }

    /// <summary>
    /// Whether the name is the layer's path in the source model. False where the graph does not tell it: such a name is
    /// stable, but HF PEFT knows no module of it.
    /// </summary>
    public bool HasSourceName { get; init; } = true;

    /// <summary>The <c>MatMul</c> or <c>Gemm</c> that multiplies.</summary>
    public required Node Node { get; init; }

    /// <summary>The weight as stored; a quantised one is what its <c>DequantizeLinear</c> makes.</summary>
    public required Value Weight { get; init; }

    /// <summary>
    /// True when the weight is stored [out, in], as PyTorch's Linear; false when [in, out], as GPT-2's Conv1D.
    /// </summary>
    public required bool IsOutByIn { get; init; }

    /// <summary>The layer's bias, <c>[out]</c>, or null.</summary>
    public Value? Bias { get; init; }

    /// <summary>The <c>Add</c> that adds the bias after the product; null where <c>Gemm</c> adds it, or there is
    /// none.</summary>
    public Node? BiasAdd { get; init; }

    /// <summary>Whether the layer is the language-model head: the product that makes the graph's first
    /// output.</summary>
    public bool IsOutputLayer { get; init; }

    /// <summary>Whether the layer chooses experts of a mixture, which <c>all-linear</c> leaves out.</summary>
    public bool IsRouter { get; init; }

    /// <summary>The adapter of the layer that the graph has already.</summary>
    internal PresentAdapter Adapter { get; init; }

    /// <summary>
    /// Whether the source model stores the weight [in, out] too: GPT-2's Conv1D. Exporters store the transpose of other
    /// layers' weights so, under a name or without one.
    /// </summary>
    internal bool IsConv1D => !IsOutByIn && DecoderFamilies.IsConv1D(Name)
        && Weight.Name.EndsWith(".weight", StringComparison.Ordinal);

    /// <summary>The number of features that the layer reads.</summary>
    public long InFeatures => Axis(IsOutByIn ? 1 : 0);

    /// <summary>The number of features that the layer makes.</summary>
    public long OutFeatures => Axis(IsOutByIn ? 0 : 1);

    /// <summary>A weight that trains is an input of the training graph; its shape is known all the same.</summary>
    private long Axis(int axis) => ConstantWeight.DimsOf(Weight)?[axis] ?? Weight.Shape![axis].Value!.Value;
}
