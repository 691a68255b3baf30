using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Lora;

/// <summary>
/// An embedding that LoRA adapts: row t gains s·B·A[:, t]. A head tied to it goes on reading the base's matrix.
/// </summary>
/// <param name="module">The embedding.</param>
/// <param name="head">The head that has the same A and B, or null.</param>
internal sealed class EmbeddingTarget(EmbeddingModule module, LinearModule? head = null) : LoraTarget
{
    public EmbeddingModule Module => module;

    /// <summary>Whether a head has the same A and B.</summary>
    public bool IsShared => head is not null;

    public override string Name => module.Name;

    public override Value Weight => module.Weight;

    public override bool IsOutByIn => module.IsTransposed;

    public override bool HasDropout => false;

    public override bool ReadsActivations => false;

    public override Value? Bias => null;

    public override string NameOfA => HfName.Of(Name, HfName.LoraEmbeddingA);

    public override string NameOfB => HfName.Of(Name, HfName.LoraEmbeddingB);

    public override ParameterRole RoleOfA => ParameterRole.EmbeddingA;

    public override ParameterRole RoleOfB => ParameterRole.EmbeddingB;

    public override Value Input(GraphBuilder g) => g.Reshape(new ModuleGraft(g, module, "/lora").Input(), -1);

    public override Value Times(GraphBuilder g, Value input, Value matrix, bool isOutByIn) =>
        g.Gather(isOutByIn ? g.Transpose(matrix, 1, 0) : matrix, input);

    public override void Replace(GraphBuilder g, Func<Value, Value> change) =>
        new ModuleGraft(g, module, "/lora").ReplaceProduct(change);

    public override Value? Offset(GraphBuilder g) => null;

    public override void SetWeight(Graph graph, Tensor content) => ModuleWeights.Replace(graph, module, content);
}
