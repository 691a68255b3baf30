using System.Text.Json.Serialization;

namespace OrtPeft.Training.Runtime;

/// <summary>A run's metadata as the text that ONNX Runtime's checkpoints can hold.</summary>
[JsonSerializable(typeof(Dictionary<string, string>))]
internal sealed partial class RunJson : JsonSerializerContext;
