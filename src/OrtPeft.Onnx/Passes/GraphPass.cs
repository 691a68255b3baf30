namespace OrtPeft.Onnx.Passes;

/// <summary>A rewrite of a whole model, in place, that keeps what the model computes.</summary>
/// <param name="Name">What reports and messages call it.</param>
/// <param name="Run">Does it.</param>
public sealed record GraphPass(string Name, Action<Model> Run);
