namespace OrtPeft.Training.Runtime;

/// <summary>One parameter's place in the flat vectors.</summary>
internal sealed record ParameterSlot(string Name, long Offset, long Count, long[] Dims);
