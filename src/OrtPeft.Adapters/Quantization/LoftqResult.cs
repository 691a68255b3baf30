namespace OrtPeft.Adapters.Quantization;

/// <summary>LoftQ's result: a quantised base and the adapter that starts beside it.</summary>
/// <param name="Quantized">The base in canonical form, with what was lost layer by layer.</param>
/// <param name="Adapter">The base with the adapter on it. <see cref="PeftModel.Save"/> writes an ordinary LoRA adapter
/// of HF PEFT's, to train or to load on that base and on no other.</param>
public sealed record LoftqResult(QuantizationResult Quantized, PeftModel Adapter);
