using OrtPeft.Onnx;

namespace OrtPeft.Models.Building;

/// <summary>The inputs of attention, each a row per token.</summary>
/// <param name="Query"><c>[batch · sequence, heads · head_dim]</c>.</param>
/// <param name="Key"><c>[batch · sequence, key heads · head_dim]</c>.</param>
/// <param name="Value"><c>[batch · sequence, key heads · head_dim]</c>.</param>
internal readonly record struct QueryKeyValue(Value Query, Value Key, Value Value);
