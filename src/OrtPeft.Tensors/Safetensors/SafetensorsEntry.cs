using System.Collections.Immutable;

namespace OrtPeft.Tensors.Safetensors;

/// <summary>What a header says of one tensor; offsets count from the first byte after the header.</summary>
internal readonly record struct SafetensorsEntry(
    string Name, ElementType Type, ImmutableArray<long> Dims, long Begin, long End);
