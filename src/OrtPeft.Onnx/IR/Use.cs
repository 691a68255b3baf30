namespace OrtPeft.Onnx;

/// <summary>One place where a value is read: input <paramref name="Index"/> of <paramref name="Node"/>.</summary>
/// <param name="Node">The node that reads.</param>
/// <param name="Index">Which of its inputs, from 0.</param>
public readonly record struct Use(Node Node, int Index);
