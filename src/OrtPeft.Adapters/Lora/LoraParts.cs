using OrtPeft.Onnx;

namespace OrtPeft.Adapters.Lora;

/// <summary>LoRA's nodes at one layer.</summary>
/// <param name="Parameters">What trains.</param>
/// <param name="Start">The constant A₀ and B₀ where they were taken out of the base; else none.</param>
/// <param name="Detached">Values whose gradient is not followed.</param>
internal sealed record LoraParts(
    IReadOnlyList<AdapterParameter> Parameters,
    IReadOnlyList<AdapterParameter> Start,
    IReadOnlyList<Value> Detached);
