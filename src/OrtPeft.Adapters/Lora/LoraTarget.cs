using System.Collections.Immutable;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Lora;

/// <summary>
/// A layer that LoRA adapts: y = x·W (+ offset). A linear layer multiplies rows; an embedding picks rows of W, which
/// is the product with one-hot rows.
/// </summary>
internal abstract class LoraTarget
{
    /// <summary>The layer's path in the source model.</summary>
    public abstract string Name { get; }

    /// <summary>The name that patterns of ranks and alphas are matched against.</summary>
    public virtual string PatternName => Name;

    /// <summary>How many matrices have an A and a B of their own in the two that train.</summary>
    public virtual int Copies => 1;

    /// <summary>The weight as stored.</summary>
    public abstract Value Weight { get; }

    /// <summary>Whether the weight is stored [out, in].</summary>
    public abstract bool IsOutByIn { get; }

    /// <summary>Whether <c>lora_dropout</c> applies; HF PEFT's embeddings have none.</summary>
    public abstract bool HasDropout { get; }

    /// <summary>Whether the layer reads activations, whose principal axes can start A.</summary>
    public abstract bool ReadsActivations { get; }

    /// <summary>The embedding whose A and B the layer has, transposed, instead of its own; null for none.</summary>
    public virtual EmbeddingTarget? Source => null;

    /// <summary>The layer's bias, or null.</summary>
    public abstract Value? Bias { get; }

    /// <summary>The name of A, [r, in].</summary>
    public abstract string NameOfA { get; }

    /// <summary>The name of B, [out, r].</summary>
    public abstract string NameOfB { get; }

    /// <summary>A's role for an optimiser.</summary>
    public virtual ParameterRole RoleOfA => ParameterRole.None;

    /// <summary>B's role for an optimiser.</summary>
    public virtual ParameterRole RoleOfB => ParameterRole.LoraB;

    /// <summary>The name of B's bias, [out].</summary>
    public string NameOfBBias => HfName.Of(Name, "lora_B.bias");

    /// <summary>The name of DoRA's magnitudes, [out].</summary>
    public string NameOfMagnitude => HfName.Of(Name, "lora_magnitude_vector");

    /// <summary>The axes of <see cref="Weight"/>.</summary>
    public ImmutableArray<long> Dims => ConstantWeight.DimsOf(Weight)!.Value;

    /// <summary>The number of features that the layer reads; of an embedding, its entries.</summary>
    public virtual int InFeatures => (int)Dims[IsOutByIn ? 1 : 0];

    /// <summary>The number of features that the layer makes.</summary>
    public virtual int OutFeatures => (int)Dims[IsOutByIn ? 0 : 1];

    /// <summary>Where the graph reads the layer's operand: rows [n, in], or indices [n].</summary>
    public abstract Value Input(GraphBuilder g);

    /// <summary>The operand times a matrix.</summary>
    /// <param name="g">Adds the nodes.</param>
    /// <param name="input">What <see cref="Input"/> gave.</param>
    /// <param name="matrix">[k, in] or [in, k].</param>
    /// <param name="isOutByIn">Whether it is [k, in].</param>
    /// <returns>[n, k].</returns>
    public abstract Value Times(GraphBuilder g, Value input, Value matrix, bool isOutByIn);

    /// <summary>y + s·(x·Aᵀ)·Bᵀ.</summary>
    /// <param name="g">Adds the nodes.</param>
    /// <param name="low">x·Aᵀ.</param>
    /// <param name="b">B, [out, r].</param>
    /// <param name="y">What it is added to.</param>
    /// <param name="scale">s.</param>
    public virtual Value Sum(GraphBuilder g, Value low, Value b, Value y, float scale) =>
        g.Gemm(low, b, y, transB: true, alpha: scale);

    /// <summary>Replaces the product [n, out], which has <see cref="Offset"/> in it already.</summary>
    public abstract void Replace(GraphBuilder g, Func<Value, Value> change);

    /// <summary>The term that the product's node adds to the product: a <c>Gemm</c>'s bias, or null.</summary>
    public abstract Value? Offset(GraphBuilder g);

    /// <summary>Gives the layer another weight in the stored layout; others that read the old one keep it.</summary>
    public abstract void SetWeight(Graph graph, Tensor content);
}
