using System.Collections.Immutable;

namespace OrtPeft.Tensors.Safetensors;

/// <summary>A header's entry for one tensor; offsets count from the first byte after the header.</summary>
internal readonly record struct SafetensorsEntry(
    string Name, ElementType Type, ImmutableArray<long> Dims, long Begin, long End);
