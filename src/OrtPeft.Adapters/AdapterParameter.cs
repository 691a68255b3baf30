using OrtPeft.Onnx;

namespace OrtPeft.Adapters;

/// <summary>A tensor that trains.</summary>
/// <param name="Name">Its name in HF PEFT's state dictionary; the name on disk.</param>
/// <param name="Value">Where it stands in the model's graph: an initializer that holds the current weights.</param>
public sealed record AdapterParameter(string Name, Value Value);
