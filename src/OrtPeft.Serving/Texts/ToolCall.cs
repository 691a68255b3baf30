namespace OrtPeft.Serving.Texts;

/// <summary>A call of a function that a model asks for.</summary>
/// <param name="Name">The function.</param>
/// <param name="Arguments">Its arguments, a JSON object.</param>
internal sealed record ToolCall(string Name, string Arguments);
