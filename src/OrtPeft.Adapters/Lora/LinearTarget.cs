using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Lora;

/// <summary>A linear layer that LoRA adapts.</summary>
/// <param name="module">The layer.</param>
/// <param name="parameter">The parameter that a configuration names, or null where it names the layer.</param>
/// <param name="source">The embedding that it has A and B of, or null.</param>
internal sealed class LinearTarget(LinearModule module, string? parameter = null, EmbeddingTarget? source = null) : LoraTarget
{
    public LinearModule Module => module;

    public string? Parameter => parameter;

    public override EmbeddingTarget? Source => source;

    public override string PatternName => parameter is null ? Name : $"{Name}.{parameter}";

    public override string Name => module.Name;

    public override Value Weight => module.Weight;

    public override bool IsOutByIn => module.IsOutByIn;

    public override bool HasDropout => true;

    public override bool ReadsActivations => true;

    public override Value? Bias => module.Bias;

    public override string NameOfA => HfName.Of(Name, HfName.LoraA);

    public override string NameOfB => HfName.Of(Name, HfName.LoraB);

    public override Value Input(GraphBuilder g) => new ModuleGraft(g, module, "/lora").Input();

    public override Value Times(GraphBuilder g, Value input, Value matrix, bool isOutByIn) =>
        g.Gemm(input, matrix, transB: isOutByIn);

    public override void Replace(GraphBuilder g, Func<Value, Value> change) =>
        new ModuleGraft(g, module, "/lora").ReplaceProduct(change);

    public override Value? Offset(GraphBuilder g) => module.Node.Is("Gemm") ? module.Node.Input(2) : null;

    public override void SetWeight(Graph graph, Tensor content) => ModuleWeights.Replace(graph, module, content);
}
